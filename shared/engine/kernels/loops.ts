/** Loops over index spaces: operands as pointers that walk by byte strides, and their elements as vectors of four. */
import { type Code, type Local, Op } from "./assembler.ts";

export type ElementType = "float32" | "int32" | "float64";

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, float64: 8 };

/** How an operand walks over an index space; strides in elements, one for each dimension. */
export interface Walk {
  readonly type: ElementType;
  readonly strides: readonly number[];
}

/** Lanes of a vector. */
export const LANES = 4;

/** The index space with dimensions joined wherever all walks allow it, those of length 1 left out; at least one dimension. */
export function collapse(
  lengths: readonly number[],
  walks: readonly Walk[],
): { lengths: number[]; walks: { type: ElementType; strides: number[] }[] } {
  const joined: number[] = [];
  const result = walks.map(({ type }) => ({ type, strides: [] as number[] }));
  for (const [d, length] of lengths.entries()) {
    if (length === 1) continue;
    const continues =
      joined.length > 0 && walks.every(({ strides }, w) => result[w]!.strides.at(-1)! === strides[d]! * length);
    if (continues) joined[joined.length - 1]! *= length;
    else joined.push(length);
    for (const [w, { strides }] of walks.entries()) {
      if (continues) result[w]!.strides[joined.length - 1] = strides[d]!;
      else result[w]!.strides.push(strides[d]!);
    }
  }
  if (joined.length === 0) {
    joined.push(1);
    for (const walk of result) walk.strides.push(0);
  }
  return { lengths: joined, walks: result };
}

/** Strides of a tensor that is stored row by row. */
export function denseStrides(lengths: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const length of lengths.toReversed()) {
    strides.unshift(stride);
    stride *= length;
  }
  return strides;
}

export interface Range {
  readonly start: Local;
  /** Above start. */
  readonly end: Local;
}

/**
 * Nested loops. `body` gets a pointer for each operand, which it must not change.
 * @param pointers of the element at index 0. @param range of the outermost dimension; all of it where there is none.
 */
export function nest(
  code: Code,
  lengths: readonly number[],
  walks: readonly Walk[],
  pointers: readonly Local[],
  range: Range | null,
  body: (pointers: readonly Local[]) => void,
): void {
  const level = (d: number, at: readonly Local[]): void => {
    if (d === lengths.length) {
      body(at);
      return;
    }
    const bounds = d === 0 ? range : null;
    const counter = code.local("i32");
    if (bounds === null) code.i32(0).set(counter);
    else code.get(bounds.start).set(counter);
    const bytes = walks.map(({ type, strides }) => strides[d]! * ELEMENT_BYTES[type]);
    const inside = at.map((pointer, w) => {
      if (bytes[w] === 0) return pointer;
      const moving = code.local("i32");
      code.get(pointer);
      if (bounds !== null) code.get(bounds.start).i32(bytes[w]!).op(Op.i32mul, Op.i32add);
      code.set(moving);
      return moving;
    });
    code.repeat(() => {
      level(d + 1, inside);
      for (const [w, pointer] of inside.entries()) if (pointer !== at[w]) advance(code, pointer, bytes[w]!);
      advance(code, counter, 1);
      code.get(counter);
      if (bounds === null) code.i32(lengths[d]!);
      else code.get(bounds.end);
      code.op(Op.i32ltU);
    });
  };
  level(0, pointers);
}

export function advance(code: Code, pointer: Local, by: number): void {
  code.get(pointer).i32(by).op(Op.i32add).set(pointer);
}

/**
 * Leaves an f32x4 on the stack: elements 0 … lanes − 1 of an operand, converted to float32 by rounding to the nearest. Other lanes hold
 * anything; up to 28 bytes behind the last element are read.
 */
export function loadVector(code: Code, type: ElementType, pointer: Local, stride: number, lanes: number): void {
  if (type === "float64") {
    loadDoubles(code, pointer, stride, 0, Math.min(lanes, 2));
    loadDoubles(code, pointer, stride, 2, lanes);
    code.joinLow();
    return;
  }
  if (stride === 1) code.get(pointer).memory("v128load");
  else if (stride === 0) code.get(pointer).memory("load32splat");
  else {
    code.get(pointer).memory("load32splat");
    for (let lane = 1; lane < lanes; lane++) {
      const vector = code.local("v128");
      code.set(vector);
      address(code, pointer, lane * stride * 4)
        .get(vector)
        .memory("load32lane", 0, lane);
    }
  }
  if (type === "int32") code.op(Op.convertI32x4);
}

/** Four vectors of four with rows and columns exchanged. */
export function transposed(code: Code, vectors: readonly Local[]): Local[] {
  const [a, b, c, d] = vectors as [Local, Local, Local, Local];
  const mixed = (x: Local, y: Local, words: readonly [number, number, number, number]): Local => {
    const result = code.local("v128");
    code.get(x, y).shuffle(words).set(result);
    return result;
  };
  const [low, lowest] = [mixed(a, b, [0, 4, 1, 5]), mixed(c, d, [0, 4, 1, 5])];
  const [high, highest] = [mixed(a, b, [2, 6, 3, 7]), mixed(c, d, [2, 6, 3, 7])];
  return [
    mixed(low, lowest, [0, 1, 4, 5]),
    mixed(low, lowest, [2, 3, 6, 7]),
    mixed(high, highest, [0, 1, 4, 5]),
    mixed(high, highest, [2, 3, 6, 7]),
  ];
}

/** Doubles `first` and `first + 1` as floats in the low half. */
function loadDoubles(code: Code, pointer: Local, stride: number, first: number, lanes: number): void {
  if (stride === 1) code.get(pointer).memory("v128load", first * 8);
  else if (stride === 0 || first >= lanes) code.get(pointer).memory("load64splat");
  else {
    address(code, pointer, first * stride * 8).memory("load64splat");
    if (first + 1 < lanes) {
      const vector = code.local("v128");
      code.set(vector);
      address(code, pointer, (first + 1) * stride * 8)
        .get(vector)
        .memory("load64lane", 0, 1);
    }
  }
  code.op(Op.demoteLow);
}

function address(code: Code, pointer: Local, bytes: number): Code {
  return code.get(pointer).i32(bytes).op(Op.i32add);
}

/** Stores lanes 0 … lanes − 1 of an f32x4, converted to the type; doubles one after the other. */
export function storeVector(
  code: Code,
  type: "float32" | "float64",
  pointer: Local,
  vector: Local,
  lanes: number,
  stride = 1,
): void {
  if (type === "float32") {
    if (lanes === LANES && stride === 1) code.get(pointer, vector).memory("v128store");
    else if (stride !== 1) {
      for (let lane = 0; lane < lanes; lane++) {
        address(code, pointer, lane * stride * 4)
          .get(vector)
          .memory("store32lane", 0, lane);
      }
    } else for (let lane = 0; lane < lanes; lane++) code.get(pointer, vector).memory("store32lane", lane * 4, lane);
    return;
  }
  const doubles = code.local("v128");
  for (const first of [0, 2]) {
    if (first >= lanes) break;
    if (first === 0) code.get(vector);
    else code.highToLow(vector);
    code.op(Op.promoteLow).set(doubles);
    if (lanes - first >= 2) code.get(pointer, doubles).memory("v128store", first * 8);
    else code.get(pointer, doubles).memory("store64lane", first * 8, 0);
  }
}

export const MAGNITUDE = 0x7fffffff;

/** Leaves the bits of the magnitudes of lanes 0 … lanes − 1 on the stack, 0 in the others: as integers they order as the numbers do, NaN last. */
export function magnitudeBits(code: Code, vector: Local, lanes: number): void {
  code.get(vector).vector(laneMask(lanes, MAGNITUDE)).op(Op.and);
}

export function laneMask(lanes: number, mask: number): number[] {
  return [0, 1, 2, 3].map((lane) => (lane < lanes ? mask : 0));
}

/** The greatest lane of a u32x4, on the stack. */
export function greatestLane(code: Code, vector: Local): void {
  const [most, next] = [code.local("i32"), code.local("i32")];
  code.get(vector).lane(0).set(most);
  for (let lane = 1; lane < LANES; lane++) {
    code.get(vector).lane(lane).set(next);
    greater(code, most, next);
    code.set(most);
  }
  code.get(most);
}

/** The greater of two unsigned integers, on the stack. */
export function greater(code: Code, a: Local, b: Local): void {
  code.get(a, b, a, b).op(Op.i32gtU, Op.select);
}

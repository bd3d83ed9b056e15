/** Kernels whose addresses come from an index tensor: Gather and SumByIndex (docs/numerics.md, sections 2.6 and 2.8). */
import { Code, type Local, Op } from "./assembler.ts";
import type { Kernel } from "./elementwise.ts";
import { quantised } from "./expressions.ts";
import {
  advance,
  collapse,
  denseStrides,
  ELEMENT_BYTES,
  LANES,
  loadVector,
  nest,
  storeVector,
  type Walk,
} from "./loops.ts";

export interface Gathering {
  readonly lengths: readonly number[];
  /** Words are copied, whatever they stand for. */
  readonly table: readonly number[];
  readonly index: readonly number[];
  /** Words between rows of the table. */
  readonly rowStride: number;
  readonly rows: number;
}

/** Parameters: start, end, output, table, index. Returns 0. */
export function gatherKernel({ lengths: all, table, index, rowStride, rows }: Gathering): Kernel {
  const word = (strides: readonly number[]): Walk => ({ type: "float32", strides });
  const { lengths, walks } = collapse(all, [word(denseStrides(all)), word(table), word(index)]);
  const code = new Code(5);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  // Dimensions up to the last that the index follows; it is read once for the elements of the others.
  const split = Math.max(1, walks[2]!.strides.findLastIndex((stride) => stride !== 0) + 1);
  nest(code, lengths.slice(0, split), walks, pointers, range, ([out, first, at]) => {
    const row = code.local("i32");
    const inner = inside(walks.slice(0, 2), split);
    code.get(at!).memory("i32load").tee(row).i32(rows).op(Op.i32ltU);
    code.when(
      () => {
        code
          .get(row)
          .i32(rowStride * 4)
          .op(Op.i32mul)
          .get(first!)
          .op(Op.i32add)
          .set(row);
        eachVector(code, lengths.slice(split), inner, [out!, row], ([to, from], [, stride], lanes) => {
          const value = code.local("v128");
          loadVector(code, "float32", from!, stride!, lanes);
          code.set(value);
          storeVector(code, "float32", to!, value, lanes);
        });
      },
      () => {
        const zero = code.local("v128");
        code.splat(0).set(zero);
        eachVector(code, lengths.slice(split), inner.slice(0, 1), [out!], ([to], _, lanes) =>
          storeVector(code, "float32", to!, zero, lanes),
        );
      },
    );
  });
  code.i32(0);
  const inner = lengths.slice(1).reduce((product, n) => product * n, 1);
  return { code, extent: { length: lengths[0]!, unit: 1, inner } };
}

export interface Scattering {
  /** Output dimensions. */
  readonly lengths: readonly number[];
  readonly axis: number;
  /** Reduced length. */
  readonly length: number;
  readonly bits: number;
  /** Strides over the output dimensions, then the reduced axis; 0 over `axis`. */
  readonly x: Walk;
  readonly peak: Walk;
  readonly index: readonly number[];
}

/** Parameters: start, end (0 and 1: it is not divided), the sums as float64, x, peak, index. Returns 0. */
export function scatterKernel({ lengths, axis, length, bits, x, peak, index }: Scattering): Kernel {
  const rowStride = denseStrides(lengths)[axis]!;
  const sizes = [...lengths, length];
  const sums: Walk = { type: "float64", strides: [...denseStrides(lengths), 0] };
  const index32: Walk = { type: "int32", strides: index };
  const all: Walk[] = [sums, x, { ...peak, strides: [...peak.strides, 0] }, index32];
  const dimensions = sizes.map((_, d) => d).filter((d) => d !== axis && sizes[d]! > 1);
  const follows = (d: number) => index[d] !== 0 || d === lengths.length;
  const order = [...dimensions.filter(follows), ...dimensions.filter((d) => !follows(d))];
  const split = dimensions.filter(follows).length;
  const ordered = order.map((d) => sizes[d]!);
  const walks = all.map(({ type, strides }) => ({ type, strides: order.map((d) => strides[d]!) }));

  const code = new Code(6);
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const bytes = lengths.reduce((product, n) => product * n, 8);
  code.get(pointers[0]!).i32(0).i32(bytes).fill();
  nest(code, ordered.slice(0, split), walks, pointers, null, ([sum, first, bound, at]) => {
    const row = code.local("i32");
    code.get(at!).memory("i32load").tee(row).i32(lengths[axis]!).op(Op.i32ltU);
    code.when(() => {
      code
        .get(row)
        .i32(rowStride * 8)
        .op(Op.i32mul)
        .get(sum!)
        .op(Op.i32add)
        .set(row);
      const inner = inside(walks.slice(0, 3), split);
      eachVector(code, ordered.slice(split), inner, [row, first!, bound!], ([to, from, peakAt], strides, lanes) => {
        const [value, bounds] = [code.local("v128"), code.local("v128")];
        loadVector(code, x.type, from!, strides[1]!, lanes);
        code.set(value);
        loadVector(code, peak.type, peakAt!, strides[2]!, lanes);
        code.set(bounds);
        addDoubles(code, to!, strides[0]!, quantised(code, value, bounds, bits), lanes);
      });
    });
  });
  code.i32(0);
  return { code, extent: { length: 1, unit: 1, inner: bytes } };
}

function inside(walks: readonly Walk[], split: number): Walk[] {
  return walks.map(({ type, strides }) => ({ type, strides: strides.slice(split) }));
}

/** Runs over the dimensions, along the last one by vectors. */
function eachVector(
  code: Code,
  all: readonly number[],
  inner: readonly Walk[],
  pointers: readonly Local[],
  body: (pointers: readonly Local[], strides: readonly number[], lanes: number) => void,
): void {
  const { lengths, walks } = collapse(all, inner);
  nest(code, lengths.slice(0, -1), walks, pointers, null, (bases) => {
    const length = lengths.at(-1)!;
    const strides = walks.map((walk) => walk.strides.at(-1)!);
    const moving = bases.map((base) => {
      const pointer = code.local("i32");
      code.get(base).set(pointer);
      return pointer;
    });
    const rest = length % LANES;
    if (length > rest) {
      const left = code.local("i32");
      code.i32(length - rest).set(left);
      code.repeat(() => {
        body(moving, strides, LANES);
        for (const [w, pointer] of moving.entries()) {
          advance(code, pointer, LANES * strides[w]! * ELEMENT_BYTES[walks[w]!.type]);
        }
        code.get(left).i32(LANES).op(Op.i32sub).tee(left);
      });
    }
    if (rest > 0) body(moving, strides, rest);
  });
}

/** Adds lanes 0 … lanes − 1 of an f32x4 to doubles in memory. */
function addDoubles(code: Code, pointer: Local, stride: number, vector: Local, lanes: number): void {
  for (const first of [0, 2]) {
    if (first >= lanes) return;
    const doubles = code.local("v128");
    if (first === 0) code.get(vector);
    else code.highToLow(vector);
    code.op(Op.promoteLow).set(doubles);
    if (stride === 1 && lanes - first >= 2) {
      code
        .get(pointer)
        .get(pointer)
        .memory("v128load", first * 8)
        .get(doubles)
        .op(Op.f64x2add);
      code.memory("v128store", first * 8);
      continue;
    }
    for (let lane = 0; lane < Math.min(2, lanes - first); lane++) {
      const at = code.local("i32");
      code
        .get(pointer)
        .i32((first + lane) * stride * 8)
        .op(Op.i32add)
        .set(at);
      code.get(at, at).memory("f64load").get(doubles).doubleLane(lane).op(Op.f64add).memory("f64store");
    }
  }
}

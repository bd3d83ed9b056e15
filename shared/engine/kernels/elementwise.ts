/** Kernels that make each element from elements at the same index: Map, quantising, rounding, copying, measuring. */
import { Code, type Local, Op } from "./assembler.ts";
import {
  advance,
  collapse,
  denseStrides,
  ELEMENT_BYTES,
  greatestLane,
  LANES,
  loadVector,
  magnitudeBits,
  nest,
  storeVector,
  transposed,
  type Walk,
} from "./loops.ts";

export interface Elementwise {
  readonly lengths: readonly number[];
  readonly inputs: readonly Walk[];
  /** null to measure alone. */
  readonly output: "float32" | "float64" | null;
  /** Where float32 results go, in elements; by default row by row. */
  readonly outputStrides?: readonly number[];
  /** Whether the kernel returns the greatest magnitude of what it computed, as bits; else it returns 0. */
  readonly measure: boolean;
  /** Emits the computation on four elements at a time and gives the result's local. */
  readonly expression: (code: Code, inputs: readonly Local[]) => Local;
}

/** What a kernel's first two parameters run over: the outermost dimension that is left, in steps of `unit`. */
export interface Extent {
  readonly length: number;
  readonly unit: number;
  /** Elements of one step of length 1. */
  readonly inner: number;
}

export interface Kernel {
  readonly code: Code;
  readonly extent: Extent;
}

/** Parameters: start, end (start below end; both multiples of the unit, or the end of all), the output where there is one, the inputs. */
export function elementwiseKernel(spec: Elementwise): Kernel {
  const outputs: Walk[] =
    spec.output === null ? [] : [{ type: spec.output, strides: spec.outputStrides ?? denseStrides(spec.lengths) }];
  const { lengths, walks } = collapse(spec.lengths, [...outputs, ...spec.inputs]);
  if (turns(lengths, walks, outputs.length)) return turningKernel(spec, lengths, walks);
  const code = new Code(2 + walks.length);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const greatest = code.local("v128");
  const outer = lengths.slice(0, -1);
  const length = lengths.at(-1)!;
  const isFlat = outer.length === 0;

  nest(code, outer, walks, pointers, isFlat ? null : range, (bases) => {
    const steps = walks.map(({ strides }) => strides.at(-1)!);
    const fixed = new Map<number, Local>();
    const moving = bases.map((base, w) => {
      const { type } = walks[w]!;
      if (steps[w] === 0 && w >= outputs.length) {
        const value = code.local("v128");
        loadVector(code, type, base, 0, LANES);
        code.set(value);
        fixed.set(w, value);
        return base;
      }
      const pointer = code.local("i32");
      code.get(base);
      if (isFlat)
        code
          .get(range.start)
          .i32(steps[w]! * ELEMENT_BYTES[type])
          .op(Op.i32mul, Op.i32add);
      code.set(pointer);
      return pointer;
    });
    const body = (lanes: number): void => {
      const inputs = spec.inputs.map((_, i) => {
        const w = outputs.length + i;
        const known = fixed.get(w);
        if (known !== undefined) return known;
        const value = code.local("v128");
        loadVector(code, walks[w]!.type, moving[w]!, steps[w]!, lanes);
        code.set(value);
        return value;
      });
      const result = spec.expression(code, inputs);
      if (spec.measure) {
        magnitudeBits(code, result, lanes);
        code.get(greatest).op(Op.i32x4maxU).set(greatest);
      }
      if (spec.output !== null) storeVector(code, spec.output, moving[0]!, result, lanes, steps[0]!);
    };
    const vectors = code.local("i32");
    const rest = length % LANES;
    const whole = length - rest;
    const loop = (): void => {
      code.repeat(() => {
        body(LANES);
        for (const [w, pointer] of moving.entries()) {
          if (!fixed.has(w)) advance(code, pointer, LANES * steps[w]! * ELEMENT_BYTES[walks[w]!.type]);
        }
        code.get(vectors).i32(LANES).op(Op.i32sub).tee(vectors);
      });
    };
    if (isFlat) {
      code.get(range.end, range.start).op(Op.i32sub).i32(-LANES).op(Op.i32and).tee(vectors);
      code.when(loop);
      if (rest > 0) {
        code.get(range.end).i32(length).op(Op.i32sub, Op.i32eqz);
        code.when(() => body(rest));
      }
    } else {
      if (whole > 0) {
        code.i32(whole).set(vectors);
        loop();
      }
      if (rest > 0) body(rest);
    }
  });
  if (spec.measure) greatestLane(code, greatest);
  else code.i32(0);
  const inner = isFlat ? 1 : lengths.slice(1).reduce((product, n) => product * n, 1);
  return { code, extent: { length: lengths[0]!, unit: isFlat ? LANES : 1, inner } };
}

/** Elements of a row that a tile's columns go through before the next rows: what they read of each column stays in the cache meanwhile. */
const STRETCH = 128;

/** Whether an input lies across the output, so that both are read and written four elements at a time only by turning tiles of 4 × 4. */
function turns(lengths: readonly number[], walks: readonly Walk[], outputs: number): boolean {
  const [rows, columns] = lengths.slice(-2);
  if (outputs === 0 || columns === undefined || rows! % LANES !== 0 || columns % LANES !== 0) return false;
  return walks[0]!.strides.at(-1) === 1 && walks.slice(1).some(liesAcross);
}

function liesAcross({ strides }: Walk): boolean {
  const [down, along] = strides.slice(-2);
  return down === 1 && along !== 0 && along !== 1;
}

/** As `elementwiseKernel`, by tiles of four rows and four columns. */
function turningKernel(spec: Elementwise, lengths: readonly number[], walks: readonly Walk[]): Kernel {
  const code = new Code(2 + walks.length);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const greatest = code.local("v128");
  const [rows, columns] = lengths.slice(-2) as [number, number];
  const stretch = largestDivisor(columns, STRETCH);
  const outer = [...lengths.slice(0, -2), ...(stretch === columns ? [] : [columns / stretch]), rows / LANES];
  const tiles = walks.map(({ type, strides }): Walk => {
    const [down, along] = strides.slice(-2) as [number, number];
    const across = stretch === columns ? [] : [along * stretch];
    return { type, strides: [...strides.slice(0, -2), ...across, down * LANES] };
  });

  nest(code, outer, tiles, pointers, range, (bases) => {
    const moving = bases.map((base) => {
      const pointer = code.local("i32");
      code.get(base).set(pointer);
      return pointer;
    });
    const bytes = walks.map(({ type, strides }) => strides.slice(-2).map((stride) => stride * ELEMENT_BYTES[type]));
    const shifted = (w: number, by: number): Local => {
      const pointer = code.local("i32");
      code.get(moving[w]!).i32(by).op(Op.i32add).set(pointer);
      return pointer;
    };
    const loaded = (w: number, stride: number, by: number): Local => {
      const value = code.local("v128");
      loadVector(code, walks[w]!.type, shifted(w, by), stride, LANES);
      code.set(value);
      return value;
    };
    const left = code.local("i32");
    code.i32(stretch).set(left);
    code.repeat(() => {
      const inputs = walks.slice(1).map((walk, i) => {
        const [down, along] = bytes[i + 1]! as [number, number];
        return liesAcross(walk)
          ? transposed(
              code,
              FOUR.map((column) => loaded(i + 1, 1, column * along)),
            )
          : FOUR.map((row) => loaded(i + 1, walk.strides.at(-1)!, row * down));
      });
      for (const row of FOUR) {
        const result = spec.expression(
          code,
          inputs.map((ofRow) => ofRow[row]!),
        );
        if (spec.measure) {
          magnitudeBits(code, result, LANES);
          code.get(greatest).op(Op.i32x4maxU).set(greatest);
        }
        storeVector(code, spec.output!, shifted(0, row * bytes[0]![0]!), result, LANES);
      }
      for (const [w, pointer] of moving.entries()) advance(code, pointer, LANES * bytes[w]![1]!);
      code.get(left).i32(LANES).op(Op.i32sub).tee(left);
    });
  });
  if (spec.measure) greatestLane(code, greatest);
  else code.i32(0);
  const inner = outer.slice(1).reduce((product, n) => product * n, LANES * stretch);
  return { code, extent: { length: outer[0]!, unit: 1, inner } };
}

const FOUR = [0, 1, 2, 3] as const;

/** The largest multiple of four that divides n, a multiple of four, and is at most the bound. */
function largestDivisor(n: number, bound: number): number {
  for (let divisor = Math.min(n, bound); ; divisor--) if (divisor % LANES === 0 && n % divisor === 0) return divisor;
}

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

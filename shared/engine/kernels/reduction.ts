/** Kernels over a reduced axis: Peak and Sum (docs/numerics.md, sections 2.5 and 2.7). */
import { Code, type Local, Op } from "./assembler.ts";
import type { Kernel } from "./elementwise.ts";
import { quantised } from "./expressions.ts";
import {
  advance,
  collapse,
  denseStrides,
  ELEMENT_BYTES,
  greatestLane,
  LANES,
  laneMask,
  loadVector,
  magnitudeBits,
  nest,
  storeVector,
  type Walk,
} from "./loops.ts";

export interface Reduction {
  /** Output dimensions. */
  readonly lengths: readonly number[];
  /** Reduced length. */
  readonly length: number;
  /** Strides over the output dimensions, then the reduced axis. */
  readonly x: Walk;
  readonly kind:
    | { readonly family: "peak"; readonly mode: 0 | 1 }
    /** The peak's strides are over the output dimensions. */
    | { readonly family: "sum"; readonly bits: number; readonly peak: Walk };
}

const INFINITY = 0x7f800000;
const FRACTION = 0x007fffff;
const PEAK_FLOOR = (127 - 40) << 23;

/** Sums of quantised numbers, in two vectors of doubles; or a vector of the greatest magnitudes. */
type Accumulator = readonly Local[];

/**
 * Parameters: start, end, output, x and, for Sum, the peak. A Peak returns the greatest magnitude that it met, a Sum the greatest
 * that it gave, as bits.
 */
export function reductionKernel({ lengths: all, length, x, kind }: Reduction): Kernel {
  const along = x.strides.at(-1)!;
  const across: Walk = { type: x.type, strides: x.strides.slice(0, -1) };
  const peaks = kind.family === "sum" ? [kind.peak] : [];
  const { lengths, walks } = collapse(all, [{ type: "float32", strides: denseStrides(all) }, across, ...peaks]);
  const code = new Code(2 + walks.length);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const greatest = code.local("v128");
  const step = along * ELEMENT_BYTES[x.type];

  const fresh = (): Accumulator => {
    const accumulator = kind.family === "sum" ? [code.local("v128"), code.local("v128")] : [code.local("v128")];
    for (const local of accumulator) code.splat(0).set(local);
    return accumulator;
  };
  /** Takes in the vector on the stack. */
  const take = (accumulator: Accumulator, shift: Local | null, lanes: number): void => {
    const value = code.local("v128");
    code.set(value);
    if (kind.family === "peak") {
      magnitudeBits(code, value, lanes);
      code.get(accumulator[0]!).op(Op.i32x4maxU).set(accumulator[0]!);
      return;
    }
    const snapped = quantised(code, value, shift!, kind.bits);
    if (lanes < LANES) code.get(snapped).vector(laneMask(lanes, -1)).op(Op.and).set(snapped);
    code.get(snapped).op(Op.promoteLow).get(accumulator[0]!).op(Op.f64x2add).set(accumulator[0]!);
    code.highToLow(snapped).op(Op.promoteLow).get(accumulator[1]!).op(Op.f64x2add).set(accumulator[1]!);
  };
  const measure = (bits: Local, lanes: number): void => {
    magnitudeBits(code, bits, lanes);
    code.get(greatest).op(Op.i32x4maxU).set(greatest);
  };
  /** The output's words from the greatest magnitudes. */
  const finishPeaks = (bits: Local): void => {
    code.get(bits).splat(INFINITY).op(Op.i32x4minU);
    if (kind.family === "peak" && kind.mode === 1) {
      code.splat(PEAK_FLOOR).op(Op.i32x4maxU).splat(FRACTION).op(Op.i32x4add).splat(INFINITY).op(Op.and);
    }
    code.set(bits);
  };

  const vectorised = lengths.at(-1)! > 1 && walks[1]!.strides.at(-1) === 1 && along !== 1 && length > 1;
  if (vectorised) acrossElements();
  else alongAxis();
  greatestLane(code, greatest);
  const isFlat = vectorised && lengths.length === 1;
  const inner = isFlat ? 1 : lengths.slice(1).reduce((product, n) => product * n, 1);
  return { code, extent: { length: lengths[0]!, unit: isFlat ? LANES : 1, inner: inner * length } };

  /** One output element at a time, four reduced positions at a time. */
  function alongAxis(): void {
    nest(code, lengths, walks, pointers, range, ([out, first, peak]) => {
      const accumulator = fresh();
      let shift: Local | null = null;
      if (peak !== undefined) {
        shift = code.local("v128");
        loadVector(code, walks[2]!.type, peak, 0, LANES);
        code.set(shift);
      }
      const pointer = code.local("i32");
      code.get(first!).set(pointer);
      const rest = length % LANES;
      if (length > rest) {
        const left = code.local("i32");
        code.i32(length - rest).set(left);
        code.repeat(() => {
          loadVector(code, x.type, pointer, along, LANES);
          take(accumulator, shift, LANES);
          advance(code, pointer, LANES * step);
          code.get(left).i32(LANES).op(Op.i32sub).tee(left);
        });
      }
      if (rest > 0) {
        loadVector(code, x.type, pointer, along, rest);
        take(accumulator, shift, rest);
      }
      const result = code.local("v128");
      if (kind.family === "peak") {
        greatestLane(code, accumulator[0]!);
        code.op(Op.i32x4splat).set(result);
        measure(result, 1);
        finishPeaks(result);
      } else {
        const both = code.local("v128");
        code.get(accumulator[0]!, accumulator[1]!).op(Op.f64x2add).set(both);
        code.get(both).highToLow(both).op(Op.f64x2add, Op.demoteLow).set(result);
        measure(result, 1);
      }
      storeVector(code, "float32", out!, result, 1);
    });
  }

  /** Output elements beside one another, one reduced position at a time. */
  function acrossElements(): void {
    const outer = lengths.slice(0, -1);
    const isFlat = outer.length === 0;
    const last = lengths.at(-1)!;
    const rest = last % LANES;
    nest(code, outer, walks, pointers, isFlat ? null : range, (bases) => {
      const steps = walks.map(({ type, strides }) => strides.at(-1)! * ELEMENT_BYTES[type]);
      const moving = bases.map((base, w) => {
        const pointer = code.local("i32");
        code.get(base);
        if (isFlat) code.get(range.start).i32(steps[w]!).op(Op.i32mul, Op.i32add);
        code.set(pointer);
        return pointer;
      });
      const block = (vectors: number, lanes: number): void => {
        const accumulators = Array.from({ length: vectors }, fresh);
        const shifts = accumulators.map((_, v) => {
          if (kind.family === "peak") return null;
          const shift = code.local("v128");
          const at = code.local("i32");
          code
            .get(moving[2]!)
            .i32(v * LANES * steps[2]!)
            .op(Op.i32add)
            .set(at);
          loadVector(code, walks[2]!.type, at, walks[2]!.strides.at(-1)!, lanes);
          code.set(shift);
          return shift;
        });
        const [pointer, left] = [code.local("i32"), code.local("i32")];
        code.get(moving[1]!).set(pointer).i32(length).set(left);
        code.repeat(() => {
          for (const [v, accumulator] of accumulators.entries()) {
            const at = code.local("i32");
            code
              .get(pointer)
              .i32(v * LANES * ELEMENT_BYTES[x.type])
              .op(Op.i32add)
              .set(at);
            loadVector(code, x.type, at, 1, lanes);
            take(accumulator, shifts[v]!, LANES);
          }
          advance(code, pointer, step);
          code.get(left).i32(1).op(Op.i32sub).tee(left);
        });
        for (const [v, accumulator] of accumulators.entries()) {
          const result = code.local("v128");
          if (kind.family === "peak") code.get(accumulator[0]!).set(result);
          else {
            code.get(accumulator[0]!).op(Op.demoteLow).get(accumulator[1]!).op(Op.demoteLow).joinLow().set(result);
          }
          measure(result, lanes);
          if (kind.family === "peak") finishPeaks(result);
          const at = code.local("i32");
          code
            .get(moving[0]!)
            .i32(v * LANES * 4)
            .op(Op.i32add)
            .set(at);
          storeVector(code, "float32", at, result, lanes);
        }
      };
      const left = code.local("i32");
      if (isFlat) code.get(range.end, range.start).op(Op.i32sub).i32(-LANES).op(Op.i32and).set(left);
      else code.i32(last - rest).set(left);
      for (const vectors of [4, 1]) {
        const loop = (): void => {
          code.repeat(() => {
            block(vectors, LANES);
            for (const [w, pointer] of moving.entries()) advance(code, pointer, vectors * LANES * steps[w]!);
            code
              .get(left)
              .i32(vectors * LANES)
              .op(Op.i32sub)
              .tee(left)
              .i32(vectors * LANES)
              .op(Op.i32geU);
          });
        };
        code
          .get(left)
          .i32(vectors * LANES)
          .op(Op.i32geU)
          .when(loop);
      }
      if (rest === 0) return;
      if (isFlat) {
        code.get(range.end).i32(last).op(Op.i32sub, Op.i32eqz);
        code.when(() => block(1, rest));
      } else block(1, rest);
    });
  }
}

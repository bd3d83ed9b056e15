/** Kernels over a reduced axis: Peak and Sum (docs/numerics.md, sections 2.5 and 2.7). */
import { Code, type Local, Op } from "./assembler.ts";
import type { Kernel } from "./elementwise.ts";
import { gridShift, onGrid } from "./expressions.ts";
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

/**
 * The greatest magnitudes; or sums of quantised numbers: a run of them in a vector of floats, as long as float32 is exact, and what earlier
 * runs gave in doubles, the low lanes and the high ones.
 */
interface Accumulator {
  readonly run: Local;
  readonly doubles: readonly Local[];
}

/** Bits of a float32's significand. */
const SIGNIFICAND = 24;

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

  /** Numbers of at most 2^bits units each that float32 adds without rounding. */
  const longestRun = kind.family === "sum" ? 2 ** (SIGNIFICAND - kind.bits) : Number.POSITIVE_INFINITY;
  const fresh = (): Accumulator => {
    const doubles = kind.family === "sum" ? [code.local("v128"), code.local("v128")] : [];
    const run = code.local("v128");
    for (const local of [run, ...doubles]) code.splat(0).set(local);
    return { run, doubles };
  };
  /** What numbers of the peak at hand are shifted by. */
  const shiftOf = (peak: Local): Local => (kind.family === "sum" ? gridShift(code, peak, kind.bits) : peak);
  /** Takes in the vector on the stack. */
  const take = ({ run }: Accumulator, shift: Local | null, lanes: number): void => {
    const value = code.local("v128");
    code.set(value);
    if (kind.family === "peak") {
      magnitudeBits(code, value, lanes);
      code.get(run).op(Op.i32x4maxU).set(run);
      return;
    }
    code.get(onGrid(code, value, shift!));
    if (lanes < LANES) code.vector(laneMask(lanes, -1)).op(Op.and);
    code.get(run).op(Op.f32x4add).set(run);
  };
  const endRun = ({ run, doubles }: Accumulator): void => {
    for (const [half, sum] of doubles.entries()) {
      if (half === 0) code.get(run);
      else code.highToLow(run);
      code.op(Op.promoteLow).get(sum).op(Op.f64x2add).set(sum);
    }
    if (doubles.length > 0) code.splat(0).set(run);
  };
  /** Runs `body`, which takes in one vector for each accumulator, `count` times. */
  const repeated = (count: number, accumulators: readonly Accumulator[], body: () => void): void => {
    const some = (times: number): void => {
      if (times === 0) return;
      const left = code.local("i32");
      code.i32(times).set(left);
      code.repeat(() => {
        body();
        code.get(left).i32(1).op(Op.i32sub).tee(left);
      });
      accumulators.forEach(endRun);
    };
    if (count <= longestRun) {
      some(count);
      return;
    }
    const runs = code.local("i32");
    code.i32(Math.floor(count / longestRun)).set(runs);
    code.repeat(() => {
      some(longestRun);
      code.get(runs).i32(1).op(Op.i32sub).tee(runs);
    });
    some(count % longestRun);
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
        shift = shiftOf(shift);
      }
      const pointer = code.local("i32");
      code.get(first!).set(pointer);
      const rest = length % LANES;
      repeated((length - rest) / LANES, [accumulator], () => {
        loadVector(code, x.type, pointer, along, LANES);
        take(accumulator, shift, LANES);
        advance(code, pointer, LANES * step);
      });
      if (rest > 0) {
        loadVector(code, x.type, pointer, along, rest);
        take(accumulator, shift, rest);
        endRun(accumulator);
      }
      const result = code.local("v128");
      if (kind.family === "peak") {
        greatestLane(code, accumulator.run);
        code.op(Op.i32x4splat).set(result);
        measure(result, 1);
        finishPeaks(result);
      } else {
        const both = code.local("v128");
        code
          .get(...accumulator.doubles)
          .op(Op.f64x2add)
          .set(both);
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
          return shiftOf(shift);
        });
        const pointer = code.local("i32");
        code.get(moving[1]!).set(pointer);
        repeated(length, accumulators, () => {
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
        });
        for (const [v, accumulator] of accumulators.entries()) {
          const result = code.local("v128");
          if (kind.family === "peak") code.get(accumulator.run).set(result);
          else {
            for (const sum of accumulator.doubles) code.get(sum).op(Op.demoteLow);
            code.joinLow().set(result);
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

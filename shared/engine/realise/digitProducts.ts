/**
 * Dot by products of digits of magnitude at most 64 (docs/numerics.md, section 5). With n digits a side there are n² products; those of digits i
 * and j count 2^(7 (i + j)) steps of both grids.
 */

import { OnnxType } from "../../onnx/model.ts";
import type { DotOperator } from "../../program/descriptor.ts";
import { type DigitPlace, DOT_WIDTH, digitPlaces } from "./digits.ts";
import { arrangeFull, type DotLayout, type Side, sizeOf } from "./dotLayout.ts";
import { EXACT, Float32Sum, MOST_FOLDED } from "./float32Sum.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast, elementwise, reduce, reshape, slice, transpose } from "./nodes.ts";

/** Products of digits whose sum float32 holds in any order: 64 · 64 · 4096 = 2^24. */
const LENGTH_32 = 4096;
/** Products of digits whose sum int32 holds: 64 · 64 · 2^18 = 2^30. */
const LENGTH_8 = 2 ** 18;

export function fitsInt8({ length }: DotOperator): boolean {
  return length <= LENGTH_8;
}

/** Float32 alone: the products are cut into lengths that are exact, and added by `Float32Sum`. */
export function digits32Product(graph: GraphBuilder, layout: DotLayout, bits: number): Value {
  const { lengths } = layout;
  const k = lengths.at(-1)!;
  const [left, right] = factors(graph, layout);
  const batches = left.digits[0]!.shape.slice(0, -2);
  const [m, n] = [left.digits[0]!.shape.at(-2)!, right.digits[0]!.shape.at(-1)!];
  const unit = elementwise(graph, "Mul", [
    elementwise(graph, "Mul", [left.scale, right.scale]),
    graph.float(2 ** (-2 * bits)),
  ]);
  const sum = new Float32Sum(graph, unit);
  const whole = Math.floor(k / LENGTH_32);
  // [batches…, m, k] and [batches…, k, n], cut at k.
  const cut = (digit: Value, start: number, length: number, axis: -1 | -2): Value => {
    const at = digit.shape.length + axis;
    const starts = digit.shape.map((_, d) => (d === at ? start : 0));
    return slice(graph, digit, starts, digit.shape.with(at, length));
  };
  const multiply = (a: Value, b: Value): Value =>
    graph.node("MatMul", [a, b], OnnxType.float32, [...a.shape.slice(0, -1), b.shape.at(-1)!]);

  const addChunk = (start: number, length: number): void => {
    for (const { weight, pairs } of pairsByWeight(bits)) {
      let gathered: { value: Value; bound: number } | null = null;
      for (const { i, j, bound } of pairs) {
        const value = multiply(cut(left.digits[i]!, start, length, -1), cut(right.digits[j]!, start, length, -2));
        const most: number = bound * length;
        if (gathered !== null && gathered.bound + most <= EXACT) {
          gathered = { value: elementwise(graph, "Add", [gathered.value, value]), bound: gathered.bound + most };
          continue;
        }
        if (gathered !== null) sum.add({ value: gathered.value, grid: weight, bound: gathered.bound * weight });
        gathered = { value, bound: most };
      }
      sum.add({ value: gathered!.value, grid: weight, bound: gathered!.bound * weight });
    }
  };
  /** Many whole lengths at once, along a new first axis. */
  const addChunks = (start: number, count: number): void => {
    const stacked = (digit: Value, axis: -1 | -2): Value => {
      const piece = cut(digit, start, count * LENGTH_32, axis);
      const at = piece.shape.length + axis;
      const split = piece.shape.toSpliced(at, 1, count, LENGTH_32);
      const rest = split.map((_, d) => d).filter((d) => d !== at);
      return transpose(graph, reshape(graph, piece, split), [at, ...rest]);
    };
    for (const { weight, pairs } of pairsByWeight(bits)) {
      for (const { i, j, bound } of pairs) {
        const value = multiply(stacked(left.digits[i]!, -1), stacked(right.digits[j]!, -2));
        const apply = (parts: Value): Value => reshape(graph, reduce(graph, "ReduceSum", parts, 0), [...batches, m, n]);
        sum.add({ value, grid: weight, bound: bound * LENGTH_32 * weight }, { count, apply });
      }
    }
  };
  for (let chunk = 0; chunk < whole; chunk += MOST_FOLDED) {
    const count = Math.min(MOST_FOLDED, whole - chunk);
    if (count === 1) addChunk(chunk * LENGTH_32, LENGTH_32);
    else addChunks(chunk * LENGTH_32, count);
  }
  if (k % LENGTH_32 !== 0) addChunk(whole * LENGTH_32, k % LENGTH_32);
  return sum.rounded();
}

/**
 * MatMulInteger of int8 with int8 (uint8 with int8 saturates on AVX2 without VNNI), added in float64 from the least weight: every partial sum
 * but the last is below 2^53, the last is the exact sum, at most 2^53 too.
 */
export function int8Product(graph: GraphBuilder, layout: DotLayout, bits: number): Value {
  const places = digitPlaces(bits, DOT_WIDTH);
  const [left, right] = factors(graph, layout);
  const integers = ({ digits, scale }: Factor): Value[] =>
    digits.map((digit, j) => {
      // A division by a power of two is exact.
      const step = elementwise(graph, "Mul", [scale, graph.float(places[j]!.weight * 2 ** -bits)]);
      return cast(graph, elementwise(graph, "Div", [digit, step]), OnnxType.int8);
    });
  const [a, b] = [integers(left), integers(right)];
  const double = (value: number): Value => graph.constant(OnnxType.float64, [], Float64Array.of(value));
  let total: Value | null = null;
  for (const { weight, pairs } of pairsByWeight(bits)) {
    for (const { i, j } of pairs) {
      const shape = [...a[i]!.shape.slice(0, -1), b[j]!.shape.at(-1)!];
      const product = cast(graph, graph.node("MatMulInteger", [a[i]!, b[j]!], OnnxType.int32, shape), OnnxType.float64);
      const weighted = weight === 1 ? product : elementwise(graph, "Mul", [product, double(weight)]);
      total = total === null ? weighted : elementwise(graph, "Add", [total, weighted]);
    }
  }
  const scale = [left, right].map((factor) => cast(graph, factor.scale, OnnxType.float64));
  const unit = elementwise(graph, "Mul", [elementwise(graph, "Mul", scale), double(2 ** (-2 * bits))]);
  return cast(graph, elementwise(graph, "Mul", [total!, unit]), OnnxType.float32);
}

interface Factor {
  /** Each `[batches…, m, k]` on the left, `[batches…, k, n]` on the right. */
  readonly digits: readonly Value[];
  /** The peak, to broadcast to the product. */
  readonly scale: Value;
}

function factors(graph: GraphBuilder, { lengths, batch, first, second }: DotLayout): [Factor, Factor] {
  const reduced = lengths.length - 1;
  const batches = batch.length === 0 ? [] : [sizeOf(lengths, batch)];
  const factor = ({ quantised, dimensions }: Side, reducedFirst: boolean): Factor => {
    const size = sizeOf(lengths, dimensions);
    const matrix = reducedFirst ? [lengths[reduced]!, size] : [size, lengths[reduced]!];
    const order = reducedFirst ? [...batch, reduced, ...dimensions] : [...batch, ...dimensions, reduced];
    const { peak, views } = quantised;
    return {
      digits: views.map((view) => reshape(graph, arrangeFull(graph, lengths, view, order), [...batches, ...matrix])),
      scale:
        peak.order.length === 0
          ? reshape(graph, peak.value, [])
          : reshape(graph, arrangeFull(graph, lengths, peak, [...batch, ...dimensions]), [
              ...batches,
              ...(reducedFirst ? [1, size] : [size, 1]),
            ]),
    };
  };
  return [factor(first, false), factor(second, true)];
}

interface Pair {
  readonly i: number;
  readonly j: number;
  /** Largest magnitude of one product of the digits as integers. */
  readonly bound: number;
}

/** The pairs of digits that count the same, from the least weight. */
function pairsByWeight(bits: number): { readonly weight: number; readonly pairs: readonly Pair[] }[] {
  const places = digitPlaces(bits, DOT_WIDTH);
  const bound = (a: DigitPlace, b: DigitPlace): number => a.bound * b.bound;
  return Array.from({ length: 2 * places.length - 1 }, (_, level) => ({
    weight: 2 ** (DOT_WIDTH * level),
    pairs: places.flatMap((place, i) => {
      const other = places[level - i];
      return other === undefined ? [] : [{ i, j: level - i, bound: bound(place, other) }];
    }),
  }));
}

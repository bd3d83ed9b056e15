/**
 * A Dot with a Gather of covers (`shared/layers/conv.ts`): out[c, q] = Σ_{o, k} a[c, (o, k)] · x[o, the window over q at tap k]. Where there are
 * far fewer windows than covers (a stride, or more channels than the result has), it is cheaper to multiply first and to move the
 * products to where the windows lie. Every sum that arises is a part of the Dot's, so it is exact in float64 in any order.
 */

import { OnnxType } from "../../onnx/model.ts";
import { type DotOperator, Dtype, type GatherOperator, type Operand, wordCount } from "../../program/descriptor.ts";
import type { Context } from "./context.ts";
import { arrangeFull } from "./dotLayout.ts";
import { type GraphBuilder, integer, type Value } from "./graph.ts";
import { cast, reshape, slice, transpose } from "./nodes.ts";
import { asFloat64, quantise, quantiseWhole } from "./quantise.ts";
import { takeView } from "./views.ts";

/** How often more words the covers must have than the products, so that moving products pays. */
export const SPREAD_GAIN = 2;

/** Along one axis: window `source` lies, for a tap, at place source · stride + offsets[tap]; null for taps that touch nothing. */
export interface Placement {
  readonly windows: number;
  readonly places: number;
  readonly stride: number;
  readonly offsets: readonly (number | null)[];
}

/** The Dot's output before its last reshape; null where it is no such product, or not worth it. */
export function spreadProduct(context: Context, operator: DotOperator): Value | null {
  const { graph, program } = context;
  const { shape, length, bits } = operator;
  const [a, b, peakA, peakB] = operator.operands;
  if (b.reference.kind !== "operator" || peakB.strides.some((stride) => stride !== 0)) return null;
  const covers = program.operators[b.reference.index]!.operator;
  if (covers.family !== "gather" || covers.dtype !== Dtype.float32 || !isCovers(covers, b, shape, length)) return null;
  const [table, index] = covers.operands;
  const [inputs, ...rest] = covers.shape as [number, ...number[]];
  const [taps, batch] = [rest.slice(0, 4) as [number, number, number, number], rest[4]!];
  const [vertical, horizontal] = placements(program.constants[index.reference.index]!.words, taps, covers.rows) ?? [];
  if (vertical === undefined || horizontal === undefined) return null;
  // Where no window touches anything there is no product to move.
  if ([vertical, horizontal].some(({ offsets }) => offsets.every((offset) => offset === null))) return null;
  const groups = shape.length === 3 ? shape[0]! : 1;
  const channels = shape.at(-2)!;
  if (inputs * vertical.places * horizontal.places < SPREAD_GAIN * groups * channels * covers.rows) return null;

  const numbers = quantiseWhole(context, table, peakB, bits);
  const lengths = [inputs, 1, 1, 1, 1, batch, covers.rows];
  const view = takeView(graph, numbers, { ...table, strides: [...table.strides, covers.rowStride] }, lengths);
  const perGroup = inputs / groups;
  const x = reshape(graph, arrangeFull(graph, lengths, view, [0, 6, 5]), [groups, perGroup, covers.rows * batch]);
  const weight = quantise(context, a, peakA, [...shape, length], bits, asFloat64).views[0]!;
  const dimensions = [...shape, length].map((_, d) => d).filter((d) => d !== shape.length - 1);
  const matrix = arrangeFull(graph, [...shape, length], weight, dimensions);
  const [down, right] = taps;
  const byTap = transpose(graph, reshape(graph, matrix, [groups, channels, perGroup, down, right]), [4, 0, 1, 3, 2]);

  const columns = horizontal.offsets.flatMap((offset, tap) => {
    if (offset === null) return [];
    const one = slice(graph, byTap, [tap, 0, 0, 0, 0], [1, groups, channels, down, perGroup]);
    const products = product(graph, reshape(graph, one, [groups, channels * down, perGroup]), x);
    const planes = [groups * channels, down, vertical.windows, horizontal.windows, batch];
    return [place(graph, reshape(graph, products, planes), 3, horizontal, offset)];
  });
  const sums = total(graph, columns);
  const rows = vertical.offsets.flatMap((offset, tap) => {
    if (offset === null) return [];
    const planes = [groups * channels, vertical.windows, horizontal.places, batch];
    const one = slice(graph, sums, [0, tap, 0, 0, 0], [planes[0]!, 1, ...planes.slice(1)]);
    return [place(graph, reshape(graph, one, planes), 1, vertical, offset)];
  });
  return reshape(graph, cast(graph, total(graph, rows), OnnxType.float32), shape);
}

/** Whether b reads the whole of a Gather [inputs, taps, taps, H, W, batch] as one matrix for each group: taps down, places across. */
export function isCovers(covers: GatherOperator, b: Operand, shape: readonly number[], length: number): boolean {
  const [table, index] = covers.operands;
  if (covers.shape.length !== 6 || index.reference.kind !== "constant" || index.offset !== 0) return false;
  const sizes = covers.shape.slice(1, 5);
  const dense = sizes.map((size, d) => (size === 1 ? 0 : wordCount(sizes.slice(d + 1))));
  const across = shape.at(-1)!;
  const strides = [...(shape.length === 3 ? [shape[0] === 1 ? 0 : length * across] : []), 0, 1, across];
  return (
    `${index.strides}` === `${[0, ...dense, 0]}` &&
    index.count === wordCount(sizes) &&
    table.strides.slice(1, 5).every((stride) => stride === 0) &&
    (shape.length === 2 || shape.length === 3) &&
    across === wordCount(covers.shape.slice(3)) &&
    b.offset === 0 &&
    b.count === (wordCount(shape) / shape.at(-2)!) * length &&
    `${b.strides}` === `${strides}`
  );
}

/**
 * What a table [taps, taps, H, W] of windows says along both axes, as far as it is affine: how many windows there are in a row is found by
 * trying. null when it is something else.
 */
export function placements(
  words: Uint32Array,
  [down, right, height, width]: readonly [number, number, number, number],
  windows: number,
): readonly [Placement, Placement] | null {
  for (let across = 1; across <= windows; across++) {
    if (windows % across !== 0) continue;
    const axes = separate(words, [down, right, height, width], windows, across);
    const vertical = axes && affine(axes[0], windows / across, height);
    const horizontal = axes && affine(axes[1], across, width);
    if (vertical && horizontal) return [vertical, horizontal];
  }
  return null;
}

/** Source by tap and place along each axis, −1 where there is none; null when the table is no product of two axes. */
function separate(
  words: Uint32Array,
  [down, right, height, width]: readonly [number, number, number, number],
  windows: number,
  across: number,
): readonly [number[][], number[][]] | null {
  const vertical = Array.from({ length: down }, () => new Array<number>(height).fill(-1));
  const horizontal = Array.from({ length: right }, () => new Array<number>(width).fill(-1));
  const each = function* (): Generator<
    [source: number, vertical: number[], h: number, horizontal: number[], w: number]
  > {
    let at = 0;
    for (const row of vertical)
      for (const column of horizontal)
        for (let h = 0; h < height; h++) for (let w = 0; w < width; w++) yield [words[at++]! | 0, row, h, column, w];
  };
  const isSource = (source: number): boolean => source >= 0 && source < windows;
  for (const [source, row, h, column, w] of each()) {
    if (!isSource(source)) continue;
    const [y, x] = [Math.floor(source / across), source % across];
    if ((row[h] !== -1 && row[h] !== y) || (column[w] !== -1 && column[w] !== x)) return null;
    row[h] = y;
    column[w] = x;
  }
  for (const [source, row, h, column, w] of each()) {
    if (isSource(source) !== (row[h] !== -1 && column[w] !== -1)) return null;
  }
  return [vertical, horizontal];
}

function affine(sources: readonly (readonly number[])[], windows: number, places: number): Placement | null {
  // Where no tap holds two windows, any stride does that keeps the others outside.
  let stride = places;
  for (const tap of sources) {
    const used = tap.flatMap((source, at) => (source >= 0 ? [{ source, at }] : []));
    const [first, second] = used;
    if (first !== undefined && second !== undefined) stride = (second.at - first.at) / (second.source - first.source);
  }
  if (!Number.isInteger(stride) || stride < 1) return null;
  const offsets = sources.map((tap) => {
    const at = tap.findIndex((source) => source >= 0);
    return at < 0 ? null : at - stride * tap[at]!;
  });
  const fits = sources.every((tap, t) =>
    tap.every((source, at) => {
      const offset = offsets[t];
      const expected = offset === null || offset === undefined ? -1 : (at - offset) / stride;
      const isWindow = Number.isInteger(expected) && expected >= 0 && expected < windows;
      return source === (isWindow ? expected : -1);
    }),
  );
  return fits ? { windows, places, stride, offsets } : null;
}

/** Puts windows where they lie for one tap: stride apart, shifted by the offset, zeros elsewhere, cut to the places. */
function place(graph: GraphBuilder, value: Value, axis: number, { places, stride }: Placement, offset: number): Value {
  const { shape } = value;
  const apart = padded(graph, reshape(graph, value, shape.toSpliced(axis + 1, 0, 1)), axis + 1, 0, stride - 1);
  const length = shape[axis]! * stride;
  const joined = reshape(graph, apart, shape.with(axis, length));
  return padded(graph, joined, axis, offset, places - offset - length);
}

/** Zeros before and after along an axis; negative numbers cut off. */
function padded(graph: GraphBuilder, value: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return value;
  const pads = new Array<number>(2 * value.shape.length).fill(0).with(axis, before);
  const sizes = graph.integers(pads.with(value.shape.length + axis, after));
  return graph.node("Pad", [value, sizes], value.type, value.shape.with(axis, value.shape[axis]! + before + after));
}

function product(graph: GraphBuilder, a: Value, b: Value): Value {
  const [groups, rows, length] = a.shape as [number, number, number];
  const columns = b.shape[2]!;
  if (groups > 1) return graph.node("MatMul", [a, b], OnnxType.float64, [groups, rows, columns]);
  const factors = [reshape(graph, a, [rows, length]), reshape(graph, b, [length, columns])];
  return graph.node("Gemm", factors, OnnxType.float64, [rows, columns], { transA: integer(0) });
}

function total(graph: GraphBuilder, values: readonly Value[]): Value {
  return values.length === 1 ? values[0]! : graph.node("Sum", values, values[0]!.type, values[0]!.shape);
}

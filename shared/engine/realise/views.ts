/**
 * Strided operands (docs/numerics.md, section 2.1) as ONNX nodes. A view is first taken in *memory order*, where it is a reshaped slice and
 * mostly costs nothing; consumers that can take any order (Gemm) use it so, the others transpose it. Axes over which an
 * operand does not move are left to broadcasting.
 */

import { OnnxType } from "../../onnx/model.ts";
import { type Operand, wordCount } from "../../program/descriptor.ts";
import { UnrealisableError } from "./errors.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { reshape, slice, steppedSlice, transpose } from "./nodes.ts";

/**
 * A value whose axis `a` follows the index dimension `order[a]`; it does not depend on the other dimensions. One that depends on none
 * has one word and rank 0 or 1, which broadcasts alike.
 */
export interface View {
  readonly value: Value;
  readonly order: readonly number[];
}

interface Axis {
  readonly dimension: number;
  readonly length: number;
  readonly stride: number;
}

/**
 * The operand over an index space of the given lengths (output dimensions, then the reduced axis if there is one), its axes by descending stride.
 * @throws UnrealisableError when an address lies outside the operand.
 */
export function takeView(graph: GraphBuilder, source: Value, operand: Operand, lengths: readonly number[]): View {
  const axes = movingAxes(operand, lengths);
  const order = axes.map((axis) => axis.dimension);
  const shape = axes.map((axis) => axis.length);
  assertInside(operand, axes);
  const value =
    nested(graph, source, operand.offset, axes) ??
    stepped(graph, source, operand.offset, axes) ??
    gathered(graph, source, operand.offset, axes);
  const isWord = axes.length === 0 && value.shape.length <= 1;
  return { value: isWord ? value : reshape(graph, value, shape), order };
}

/** Whether the operand reads every word of its tensor exactly once. */
export function coversAll(operand: Operand, lengths: readonly number[]): boolean {
  const axes = movingAxes(operand, lengths);
  return wordCount(axes.map((axis) => axis.length)) === operand.count && isDense(axes) && operand.offset === 0;
}

/** The view with its axes in the given order of dimensions, length 1 for those that it does not depend on. */
export function arrange(graph: GraphBuilder, view: View, dimensions: readonly number[]): Value {
  const present = dimensions.filter((dimension) => view.order.includes(dimension));
  const permuted = transpose(
    graph,
    view.value,
    present.map((dimension) => view.order.indexOf(dimension)),
  );
  const lengthOf = new Map(view.order.map((dimension, axis) => [dimension, view.value.shape[axis]!]));
  return reshape(
    graph,
    permuted,
    dimensions.map((dimension) => lengthOf.get(dimension) ?? 1),
  );
}

/** `arrange` for numpy broadcasting against a value of these dimensions. */
export function alongside(graph: GraphBuilder, view: View, dimensions: readonly number[]): Value {
  return view.order.length === 0 ? view.value : arrange(graph, view, dimensions);
}

/** The view for numpy broadcasting against an output of the given rank: leading axes of length 1 are dropped. */
export function broadcastable(graph: GraphBuilder, view: View, rank: number): Value {
  const first = Math.min(rank, ...view.order);
  return alongside(
    graph,
    view,
    Array.from({ length: rank - first }, (_, d) => first + d),
  );
}

/** Dimensions along which the address changes, by descending stride. */
function movingAxes(operand: Operand, lengths: readonly number[]): Axis[] {
  return lengths
    .map((length, dimension) => ({ dimension, length, stride: operand.strides[dimension]! }))
    .filter((axis) => axis.length > 1 && axis.stride !== 0)
    .sort((a, b) => b.stride - a.stride || a.dimension - b.dimension);
}

function isDense(axes: readonly Axis[]): boolean {
  return axes.every((axis, a) => axis.stride === wordCount(axes.slice(a + 1).map((inner) => inner.length)));
}

function assertInside(operand: Operand, axes: readonly Axis[]): void {
  let lowest = operand.offset;
  let highest = operand.offset;
  for (const { length, stride } of axes) {
    if (stride < 0) lowest += (length - 1) * stride;
    else highest += (length - 1) * stride;
  }
  if (lowest < 0 || highest >= operand.count) {
    const { kind, index } = operand.reference;
    throw new UnrealisableError(
      `it reads words ${lowest} … ${highest} of ${kind} ${index}, which has ${operand.count}`,
    );
  }
}

/** The view as Reshape and Slice alone, where every stride is a multiple of the next and the axes do not overlap. */
function nested(graph: GraphBuilder, source: Value, offset: number, axes: readonly Axis[]): Value | null {
  const count = wordCount(source.shape);
  const flat = (start: number, length: number) =>
    start === 0 && length === count ? source : slice(graph, reshape(graph, source, [count]), [start], [length]);
  if (axes.length === 0) return flat(offset, 1);
  if (axes.some((axis, a) => axis.stride < 0 || (a > 0 && axes[a - 1]!.stride % axis.stride !== 0))) return null;

  const outer = axes[0]!.length * axes[0]!.stride;
  if (isDense(axes)) return flat(offset, outer);
  return (
    boxed(graph, flat, 0, Math.floor(count / axes[0]!.stride) * axes[0]!.stride, offset, axes) ??
    (offset + outer <= count ? boxed(graph, flat, offset, outer, 0, axes) : null)
  );
}

/** The words `start … start + length − 1` as a box with one axis for each stride, cut down to the view; null when it does not fit. */
function boxed(
  graph: GraphBuilder,
  flat: (start: number, length: number) => Value,
  start: number,
  length: number,
  offset: number,
  axes: readonly Axis[],
): Value | null {
  const strides = axes.map((axis) => axis.stride);
  const extents = strides.map((stride, a) => (a === 0 ? length : strides[a - 1]!) / stride);
  const starts = strides.map((stride, a) => Math.floor(offset / stride) % extents[a]!);
  const lengths = axes.map((axis) => axis.length);
  // Words between the elements of the innermost axis.
  const step = strides.at(-1)!;
  extents.push(step);
  starts.push(offset % step);
  lengths.push(1);
  if (extents.some((extent, a) => starts[a]! + lengths[a]! > extent)) return null;
  return slice(graph, reshape(graph, flat(start, length), extents), starts, lengths);
}

/** The view as one Slice with steps, where its axes walk over a box whose own strides divide each other. */
function stepped(graph: GraphBuilder, source: Value, offset: number, axes: readonly Axis[]): Value | null {
  if (axes.some(({ stride }) => stride < 0)) return null;
  const count = wordCount(source.shape);
  // Strides of the box: each divides the one before, and its axis of the view goes in steps of it.
  const strides: number[] = [];
  for (const { stride } of axes) strides.push(greatestDivisor(stride, strides.at(-1) ?? stride));
  const extents = strides.map((stride, a) => (a === 0 ? Math.ceil(count / stride) : strides[a - 1]! / stride));
  const starts = strides.map((stride, a) => Math.floor(offset / stride) % extents[a]!);
  const steps = axes.map(({ stride }, a) => stride / strides[a]!);
  const ends = axes.map(({ length }, a) => starts[a]! + (length - 1) * steps[a]! + 1);
  const isBox = strides.at(-1) === 1 && wordCount(extents) === count && ends.every((end, a) => end <= extents[a]!);
  if (!isBox) return null;
  return steppedSlice(graph, reshape(graph, source, extents), starts, ends, steps);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Any other view, by a table of addresses. */
function gathered(graph: GraphBuilder, source: Value, offset: number, axes: readonly Axis[]): Value {
  let addresses = [offset];
  for (const { length, stride } of axes) {
    addresses = addresses.flatMap((base) => Array.from({ length }, (_, i) => base + i * stride));
  }
  const shape = axes.map((axis) => axis.length);
  const table = graph.constant(OnnxType.int32, shape, Int32Array.from(addresses));
  return graph.node("Gather", [reshape(graph, source, [wordCount(source.shape)]), table], source.type, shape);
}

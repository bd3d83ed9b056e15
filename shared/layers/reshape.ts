/** Reshape, and the operators that are one: Flatten, Squeeze, Unsqueeze. No word moves; only strides change. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { Dtype, sameShape, wordCount } from "../program/descriptor.ts";
import type { Importer } from "./importer.ts";
import { isHost } from "./importer.ts";

export function reshape(graph: SourceGraph, input: ValueId, shape: readonly number[]): ValueId {
  const before = graph.shape(input);
  if (sameShape(before, shape)) return input;
  if (wordCount(before) !== wordCount(shape)) throw new RangeError(`[${before}] cannot become [${shape}]`);
  return graph.add({
    layer: "reshape",
    inputs: [input],
    ...elementsOf(graph, input),
    shape,
    gradient: (upstream) => [[input, reshape(graph, upstream!, before)]],
    lower: (lowering) => lowering.reshape(lowering.view(input), shape),
  });
}

export const importReshape: Importer = (context) => {
  const wanted = context.integers(1, "shape");
  if (wanted === null) throw context.error("it names no shape", "Export with a static shape.");
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const before = context.graph.shape(input);
  const keepZero = context.integer("allowzero", 0) === 1;
  const shape = wanted.map((dimension, axis) => (dimension === 0 && !keepZero ? (before[axis] ?? 0) : dimension));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = wordCount(before) / wordCount(shape.toSpliced(open, 1));
  if (
    !shape.every((dimension) => Number.isInteger(dimension) && dimension > 0) ||
    wordCount(shape) !== wordCount(before)
  ) {
    throw context.error(
      `[${before}] cannot be reshaped to [${wanted}]`,
      "If the batch size is written into the shape, export with a dynamic batch axis or with the task's batch size.",
    );
  }
  return reshape(context.graph, input, shape);
};

export const importFlatten: Importer = (context) => {
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const shape = context.graph.shape(input);
  const named = context.integer("axis", 1);
  // The axis may also be the rank itself: everything goes to the left.
  const axis = named === shape.length ? named : context.axis(named, shape.length);
  return reshape(context.graph, input, [wordCount(shape.slice(0, axis)), wordCount(shape.slice(axis))]);
};

export const importSqueeze: Importer = (context) => {
  const squeezed = (shape: readonly number[]): number[] => {
    const named = context.integers(1, "axes")?.map((axis) => context.axis(axis, shape.length));
    const axes = named ?? shape.flatMap((dimension, axis) => (dimension === 1 ? [axis] : []));
    if (axes.some((axis) => shape[axis] !== 1)) {
      throw context.error(`axes ${axes} of [${shape}] are not all of length 1`, "Squeeze axes of length 1 only.");
    }
    return shape.filter((_, axis) => !axes.includes(axis));
  };
  const input = context.input(0);
  if (isHost(input)) return { ...input, dimensions: squeezed(input.dimensions) };
  return reshape(context.graph, input, squeezed(context.graph.shape(input)));
};

export const importUnsqueeze: Importer = (context) => {
  const axes = context.integers(1, "axes");
  if (axes === null) throw context.error("it names no axes", "Export with constant axes.");
  const unsqueezed = (shape: readonly number[]): number[] => {
    const rank = shape.length + axes.length;
    const added = new Set(axes.map((axis) => context.axis(axis, rank)));
    if (added.size !== axes.length) throw context.error(`axes [${axes}] name one axis twice`, "Correct the axes.");
    const rest = shape.values();
    return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value as number)));
  };
  const input = context.input(0);
  if (isHost(input)) return { ...input, dimensions: unsqueezed(input.dimensions) };
  return reshape(context.graph, input, unsqueezed(context.graph.shape(input)));
};

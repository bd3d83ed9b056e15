/** Expand and Tile: elements repeated along axes. No word moves where strides of 0 do it. Gradient: the sum over the repetitions. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastShape, elementsOf } from "../graph/graph.ts";
import { Dtype, sameShape } from "../program/descriptor.ts";
import { broadcastStrides } from "../program/view.ts";
import type { Importer } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { sumTo } from "./sum.ts";

const MOST_AXES = 6;

/** @param shape one that the input broadcasts to. */
export function expand(graph: SourceGraph, input: ValueId, shape: readonly number[]): ValueId {
  const before = graph.shape(input);
  if (sameShape(before, shape)) return input;
  return graph.add({
    layer: "expand",
    inputs: [input],
    ...elementsOf(graph, input),
    shape,
    gradient: (upstream) => [[input, sumTo(graph, upstream!, before, `${graph.name(input)}.grad`)]],
    lower: (lowering) => {
      const view = lowering.view(input);
      return { ...view, shape, strides: broadcastStrides(view, shape) };
    },
  });
}

export const importExpand: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const wanted = context.integers(1, "shape");
  const shape = wanted === null ? null : broadcastShape(graph.shape(input), wanted);
  if (shape === null) {
    throw context.error(`[${graph.shape(input)}] does not expand to [${wanted}]`, "Correct the shape.");
  }
  return expand(graph, input, shape);
};

export const importTile: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const shape = graph.shape(input);
  const repeats = context.integers(1, "repeats");
  if (repeats === null || repeats.length !== shape.length || repeats.some((count) => count < 1)) {
    throw context.error(`it repeats [${repeats}] times along the axes of [${shape}]`, "Give a count for each axis.");
  }
  // An axis of its own for each count above one.
  const axes = shape.flatMap((length, axis) => (repeats[axis] === 1 ? [[length]] : [[1], [length]]).flat());
  const spread = shape.flatMap((length, axis) => (repeats[axis] === 1 ? [length] : [repeats[axis]!, length]));
  if (spread.length > MOST_AXES) {
    throw context.error(`it needs ${spread.length} axes`, `Tile along fewer axes at once: there can be ${MOST_AXES}.`);
  }
  return reshape(
    graph,
    expand(graph, reshape(graph, input, axes), spread),
    shape.map((length, axis) => length * repeats[axis]!),
  );
};

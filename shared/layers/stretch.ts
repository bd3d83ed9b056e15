/** Broadcasting to a shape without moving a word: strides of 0. The gradient is summed over what was stretched along. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { sameShape } from "../program/descriptor.ts";
import { broadcastStrides } from "../program/view.ts";
import { sumTo } from "./sum.ts";

/** `shape` must be one that the input broadcasts to. */
export function stretch(graph: SourceGraph, input: ValueId, shape: readonly number[]): ValueId {
  const before = graph.shape(input);
  if (sameShape(before, shape)) return input;
  return graph.add({
    layer: "stretch",
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

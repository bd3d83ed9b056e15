/** Transpose: a permutation of axes, by strides alone. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { Dtype, sameShape } from "../program/descriptor.ts";
import { transposeView } from "../program/view.ts";
import type { Importer } from "./importer.ts";

/** Output axis d is input axis `permutation[d]`. Transposes of transposes are one, and one that moves nothing is none. */
export function transpose(graph: SourceGraph, input: ValueId, permutation: readonly number[]): ValueId {
  const before = graph.node(input);
  if (permutation.every((axis, position) => axis === position)) return input;
  if (before.permutation !== undefined) {
    return transpose(
      graph,
      before.inputs[0]!,
      permutation.map((axis) => before.permutation![axis]!),
    );
  }
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return graph.add({
    layer: "transpose",
    permutation,
    inputs: [input],
    ...elementsOf(graph, input),
    shape: permutation.map((axis) => before.shape[axis]!),
    gradient: (upstream) => [[input, transpose(graph, upstream!, inverse)]],
    lower: (lowering) => transposeView(lowering.view(input), permutation),
  });
}

/** Swaps the last two axes. */
export function transposeMatrix(graph: SourceGraph, input: ValueId): ValueId {
  return transpose(graph, input, swap(graph.shape(input).length));
}

/** The tensor whose last two axes a node swaps, null when it does something else. */
export function swappedMatrix(graph: SourceGraph, id: ValueId): ValueId | null {
  const { inputs, permutation } = graph.node(id);
  return permutation !== undefined && sameShape(permutation, swap(permutation.length)) ? inputs[0]! : null;
}

function swap(rank: number): number[] {
  const axes = [...new Array(rank).keys()];
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

export const importTranspose: Importer = (context) => {
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const axes = [...context.graph.shape(input).keys()];
  const permutation = context.integers(null, "perm") ?? axes.toReversed();
  if (permutation.length !== axes.length || axes.some((axis) => !permutation.includes(axis))) {
    throw context.error(`perm [${permutation}] is not a permutation of ${axes.length} axes`, "Correct the model.");
  }
  return transpose(context.graph, input, permutation);
};

/** Some rows of a sample field: a view. Nothing is differentiated through it, as nothing is with respect to samples. */
import type { SourceGraph, ValueId } from "../program/graph.ts";
import { elementsOf } from "../program/graph.ts";

/** Rows `first … first + count − 1` along the first axis. */
export function rows(graph: SourceGraph, input: ValueId, first: number, count: number): ValueId {
  const [all, ...rest] = graph.shape(input) as [number, ...number[]];
  if (first === 0 && count === all) return input;
  const shape = [count, ...rest];
  return graph.add({
    layer: "rows",
    inputs: [input],
    ...elementsOf(graph, input),
    shape,
    lower: (lowering) => {
      const view = lowering.view(input);
      const strides = count === 1 ? [0, ...view.strides.slice(1)] : view.strides;
      return { ...view, offset: view.offset + first * view.strides[0]!, shape, strides };
    },
  });
}

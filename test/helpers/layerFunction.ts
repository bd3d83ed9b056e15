/** What an elementwise layer and its gradient compute, as functions of one number. */

import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import type { MapBuilder, Register } from "../../shared/graph/mapBuilder.ts";
import { state } from "../../shared/layers/leaf.ts";

/** The layer's value; with `upstream` its gradient for that upstream gradient. */
export function expressionOf(
  layer: (graph: SourceGraph, x: ValueId) => ValueId,
  upstream?: number,
): (map: MapBuilder, x: Register) => Register {
  const graph = new SourceGraph();
  const x = state(graph, "x", [1]);
  const y = layer(graph, x);
  const value = upstream === undefined ? null : state(graph, "upstream", [1]);
  const result = value === null ? y : graph.node(y).gradient!(value)[0]![1];
  return (map, argument) => {
    const evaluate = (id: ValueId): Register => {
      if (id === x) return argument;
      if (id === value) return map.immediate(upstream!);
      const node = graph.node(id);
      return node.expression!(map, node.inputs.map(evaluate));
    };
    return evaluate(result);
  };
}

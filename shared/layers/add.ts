/** Add with broadcasting. The gradient of a broadcast input is summed over what it was stretched along. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { sumTo } from "./sum.ts";

export function add(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "add",
    [a, b],
    (map, [x, y]) => map.add(x!, y!),
    (upstream) =>
      [a, b].map((input) => [input, sumTo(graph, upstream!, graph.shape(input), `${graph.name(input)}.grad`)] as const),
  );
}

export const importAdd: Importer = (context) => {
  const { graph } = context;
  const a = context.tensor(0);
  const b = context.tensor(1);
  if (broadcastShape(graph.shape(a), graph.shape(b)) === null) {
    throw context.error(`[${graph.shape(a)}] and [${graph.shape(b)}] do not broadcast`, "Correct the shapes.");
  }
  // A bias names the sum: fc1.dot + fc1.bias is fc1.out; otherwise the left operand does.
  const bias = [a, b].find((id) => graph.node(id).layer === "state");
  return add(graph, a, b, `${layerName(graph, bias ?? a)}.out`);
};

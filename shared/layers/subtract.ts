/** Sub with broadcasting, and Neg. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { sumTo } from "./sum.ts";

export function subtract(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId {
  const gradient = (input: ValueId) => `${graph.name(input)}.grad`;
  return elementwise(
    graph,
    name,
    "sub",
    [a, b],
    (map, [x, y]) => map.sub(x!, y!),
    (upstream) => [
      [a, sumTo(graph, upstream!, graph.shape(a), gradient(a))],
      [b, sumTo(graph, negate(graph, upstream!, gradient(b)), graph.shape(b), gradient(b))],
    ],
  );
}

export function negate(graph: SourceGraph, input: ValueId, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "neg",
    [input],
    (map, [x]) => map.neg(x!),
    (upstream) => [[input, negate(graph, upstream!, `${graph.name(input)}.grad`)]],
    graph.node(input).bound,
  );
}

export const importSub: Importer = (context) => {
  const [a, b] = broadcastOperands(context, 2) as [ValueId, ValueId];
  return subtract(context.graph, a, b, `${layerName(context.graph, a)}.sub`);
};

export const importNeg: Importer = (context) => {
  const input = context.tensor(0);
  return negate(context.graph, input, `${layerName(context.graph, input)}.neg`);
};

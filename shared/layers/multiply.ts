/** Mul with broadcasting. Gradients: the upstream gradient times the other factor, summed over what was stretched. */
import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { limited } from "./limit.ts";
import { sumTo } from "./sum.ts";

export function multiply(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId {
  const [boundA, boundB] = [
    graph.node(a).bound ?? Number.POSITIVE_INFINITY,
    graph.node(b).bound ?? Number.POSITIVE_INFINITY,
  ];
  // A factor of at most one keeps the other's bounds.
  const isTame = boundA <= 1 || boundB <= 1;
  const known = boundA * boundB;
  const contribution = (input: ValueId, other: ValueId, upstream: ValueId): Contribution => {
    const name = `${graph.name(input)}.grad`;
    return [input, sumTo(graph, multiply(graph, upstream, other, name), graph.shape(input), name)];
  };
  return elementwise(
    graph,
    name,
    "mul",
    [a, b],
    (map, [x, y]) => (isTame ? map.flush(map.mul(x!, y!)) : limited(map, map.mul(x!, y!))),
    (upstream) => [contribution(a, b, upstream!), contribution(b, a, upstream!)],
    Number.isFinite(known) ? known : undefined,
  );
}

export const importMul: Importer = (context) => {
  const [a, b] = broadcastOperands(context, 2) as [ValueId, ValueId];
  return multiply(context.graph, a, b, `${layerName(context.graph, a)}.mul`);
};

/** Where, with broadcasting: a where the condition (float32 0 or 1) is not 0, else b. The gradient goes where the choice went. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import { expand } from "./expand.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { sumTo } from "./sum.ts";

export function where(graph: SourceGraph, condition: ValueId, a: ValueId, b: ValueId, name: string): ValueId {
  const share = (input: ValueId, upstream: ValueId, isFirst: boolean) => {
    const gradientName = `${graph.name(input)}.grad`;
    const gradient = elementwise(graph, gradientName, "whereGradient", [condition, upstream], (map, [c, g]) =>
      isFirst ? map.select(c!, g!, map.immediate(0)) : map.select(c!, map.immediate(0), g!),
    );
    return [input, sumTo(graph, gradient, graph.shape(input), gradientName)] as const;
  };
  return elementwise(
    graph,
    name,
    "where",
    [condition, a, b],
    (map, [c, x, y]) => map.select(c!, x!, y!),
    (upstream) => [share(a, upstream!, true), share(b, upstream!, false)],
  );
}

export const importWhere: Importer = (context) => {
  const { graph } = context;
  const [condition, a, b] = broadcastOperands(context, 3) as [ValueId, ValueId, ValueId];
  const known = context.host(0);
  const first = known?.values[0];
  if (known?.values.every((value) => value === first)) {
    const shape = [graph.shape(a), graph.shape(b)].reduce(
      (spread, each) => broadcastShape(spread, each)!,
      known.dimensions,
    );
    return expand(graph, first === 0 ? b : a, shape);
  }
  const named = graph.node(a).layer === "constant" ? b : a;
  return where(graph, condition, a, b, `${layerName(graph, named)}.where`);
};

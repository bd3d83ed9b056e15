/** Abs, and Sign. Gradient of Abs: g with the sign of x, 0 at 0; Sign has none. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";

/** −1, 0 or 1. */
function sign(map: MapBuilder, x: Register): Register {
  const zero = map.immediate(0);
  return map.sub(map.less(zero, x), map.less(x, zero));
}

export function absolute(graph: SourceGraph, input: ValueId, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "abs",
    [input],
    (map, [x]) => map.abs(x!),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "absGradient", [input, upstream!], (map, [x, g]) =>
          map.flush(map.mul(g!, sign(map, x!))),
        ),
      ],
    ],
  );
}

export const importAbs: Importer = (context) => {
  const input = context.tensor(0);
  return absolute(context.graph, input, `${layerName(context.graph, input)}.abs`);
};

export const importSign: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0);
  return elementwise(
    graph,
    `${layerName(graph, input)}.sign`,
    "sign",
    [input],
    (map, [x]) => sign(map, x!),
    undefined,
    1,
  );
};

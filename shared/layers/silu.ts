/** SiLU, also called Swish: x · σ(αx). One Map; gradient g · (s + αx · s (1 − s)), s = σ(αx), is one too. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { sigmoidExpression } from "./sigmoid.ts";

/** Where the sigmoid has levelled off: s (1 − s) times what is beyond does not count. */
const LIMIT = 32;

function stretchedInput(map: MapBuilder, x: Register, alpha: number): Register {
  const scaled = alpha === 1 ? x : map.flush(map.mul(x, map.immediate(alpha)));
  return map.clamp(scaled, -LIMIT, LIMIT);
}

export function silu(graph: SourceGraph, input: ValueId, alpha: number, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "silu",
    [input],
    (map, [x]) => map.flush(map.mul(x!, sigmoidExpression(map, stretchedInput(map, x!, alpha)))),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "siluGradient", [input, upstream!], (map, [x, g]) => {
          const near = stretchedInput(map, x!, alpha);
          const s = sigmoidExpression(map, near);
          const bend = map.mul(s, map.sub(map.immediate(1), s));
          return map.flush(map.mul(g!, map.flush(map.add(s, map.mul(near, bend)))));
        }),
      ],
    ],
  );
}

export const importSwish: Importer = (context) => {
  const input = context.tensor(0);
  const name = `${layerName(context.graph, input)}.silu`;
  return silu(context.graph, input, context.float("alpha", 1), name);
};

/** Abs, and Sign. Gradient of Abs: g with the sign of x, 0 at 0; Sign has none. */
import type { MapBuilder, Register } from "../program/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { importUnary } from "./unary.ts";

/** −1, 0 or 1. */
function sign(map: MapBuilder, x: Register): Register {
  const zero = map.immediate(0);
  return map.sub(map.less(zero, x), map.less(x, zero));
}

export const importAbs = importUnary(() => ({
  layer: "abs",
  forward: (map, x) => map.abs(x),
  slope: { of: "input", expression: sign },
}));

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

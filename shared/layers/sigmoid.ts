/**
 * Sigmoid: 1 / (1 + e^(−x)), by the exponential of −|x| so that small values keep their relative precision; |relative error| ≤ 2e-6,
 * and 2e-9 below −20. Gradient: g · y · (1 − y), from the output y alone.
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import { expNegative } from "./exponential.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";

/** Sigmoid as Map instructions; the result lies in [1e-9, 1]. */
export function sigmoidExpression(map: MapBuilder, x: Register): Register {
  const one = map.immediate(1);
  const small = map.min(expNegative(map, map.abs(x)), one);
  return map.div(map.select(map.less(x, map.immediate(0)), small, one), map.add(small, one));
}

export function sigmoid(graph: SourceGraph, input: ValueId, name: string): ValueId {
  const output: ValueId = elementwise(
    graph,
    name,
    "sigmoid",
    [input],
    (map, [x]) => sigmoidExpression(map, x!),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "sigmoidGradient", [output, upstream!], (map, [y, g]) =>
          map.flush(map.mul(g!, map.mul(y!, map.sub(map.immediate(1), y!)))),
        ),
      ],
    ],
  );
  return output;
}

export const importSigmoid: Importer = (context) => {
  const input = context.tensor(0);
  return sigmoid(context.graph, input, `${layerName(context.graph, input)}.sigmoid`);
};

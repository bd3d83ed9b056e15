/**
 * Tanh by a rational function of the clipped input; |relative error| ≤ 4e-7. Beyond ±9 tanh is ±1 to float32 precision.
 * Gradient: g · (1 − y²), from the output y alone.
 *
 * x · P(x²) / Q(x²), P and Q of degree 4, minimax in relative error on [0, 9]. All coefficients are positive: nothing cancels.
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { type OddRational, oddRational } from "./oddRational.ts";

const TANH: OddRational = {
  limit: 9,
  numerator: [9.99999979e-1, 1.33810212e-1, 3.49558286e-3, 2.06089945e-5, 1.33545372e-8],
  denominator: [1, 4.67143368e-1, 2.58769622e-2, 3.28562616e-4, 7.77650802e-7],
};

/** tanh(x) as Map instructions. */
export const tanhExpression = (map: MapBuilder, x: Register): Register => oddRational(map, x, TANH);

export function tanh(graph: SourceGraph, input: ValueId, name: string): ValueId {
  const output: ValueId = elementwise(
    graph,
    name,
    "tanh",
    [input],
    (map, [x]) => tanhExpression(map, x!),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "tanhGradient", [output, upstream!], (map, [y, g]) =>
          map.flush(map.mul(g!, map.sub(map.immediate(1), map.mul(y!, y!)))),
        ),
      ],
    ],
  );
  return output;
}

export const importTanh: Importer = (context) => {
  const input = context.tensor(0);
  return tanh(context.graph, input, `${layerName(context.graph, input)}.tanh`);
};

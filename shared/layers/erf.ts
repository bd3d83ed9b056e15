/**
 * The error function by a rational function of the clipped input; |relative error| ≤ 4e-7. Beyond ±3.95 it is ±1 to float32
 * precision. Gradient: g · 2/√π · e^(−x²).
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import { expNegative } from "./exponential.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { type OddRational, oddRational } from "./oddRational.ts";

/** x · P(x²) / Q(x²), both of degree 5, minimax in relative error on [0, 3.95]. All coefficients are positive. */
export const ERF: OddRational = {
  limit: 3.95,
  numerator: [1.12837914, 1.88195629e-1, 5.24314092e-2, 3.66441389e-3, 2.81521503e-4, 2.05244341e-6],
  denominator: [1, 5.00117277e-1, 1.13172739e-1, 1.47668861e-2, 1.13601029e-3, 3.79414042e-5],
};
/** Beyond it e^(−x²) is clipped anyway. */
const GRADIENT_LIMIT = 8;
/** Keeps the subnormal values of x² from being seen. */
const SQUARE_FLOOR = 2 ** -40;

/** erf(x) as Map instructions. */
export const erfExpression = (map: MapBuilder, x: Register): Register => oddRational(map, x, ERF);

export function erf(graph: SourceGraph, input: ValueId, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "erf",
    [input],
    (map, [x]) => erfExpression(map, x!),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "erfGradient", [input, upstream!], (map, [x, g]) => {
          const near = map.clamp(x!, -GRADIENT_LIMIT, GRADIENT_LIMIT);
          const square = map.max(map.mul(near, near), map.immediate(SQUARE_FLOOR));
          const bell = expNegative(map, square);
          return map.flush(map.mul(g!, map.mul(bell, map.immediate(2 / Math.sqrt(Math.PI)))));
        }),
      ],
    ],
  );
}

export const importErf: Importer = (context) => {
  const input = context.tensor(0);
  return erf(context.graph, input, `${layerName(context.graph, input)}.erf`);
};

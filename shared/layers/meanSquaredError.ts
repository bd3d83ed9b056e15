/**
 * Mean squared error of a prediction and a target of as many words: mean (y − t)², gradient 2 (y − t) / words. The squares are summed
 * exactly on the grid of the greatest error.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { wordCount } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { reshape } from "./reshape.ts";
import { squares } from "./squares.ts";
import { sumAxes } from "./sum.ts";

/** Both sums are read by nothing else, so they can use the finest grid. */
const BITS = 22;

/**
 * @param target float32 or int32.
 * @param share factor of the loss: 1 / n for one of n micro-batches.
 * @returns the loss, [1].
 */
export function meanSquaredError(
  graph: SourceGraph,
  prediction: ValueId,
  target: ValueId,
  name: string,
  { share = 1 }: { readonly share?: number } = {},
): ValueId {
  const shape = graph.shape(prediction);
  const words = wordCount(shape);
  const error = elementwise(
    graph,
    `${name}.error`,
    "error",
    [prediction, reshape(graph, target, shape)],
    (map, [y, t]) => map.sub(y!, t!),
  );
  const parts = squares(graph, error, `${name}.squares`).map((part, index) => {
    const scaled = elementwise(graph, `${name}.scaled${index}`, "scale", [part], (map, [s]) =>
      map.flush(map.mul(s!, map.immediate(share / words))),
    );
    return sumAxes(graph, scaled, 0, 1, `${name}.sum${index}`, { bits: BITS });
  });
  return elementwise(
    graph,
    name,
    "meanSquaredError",
    parts,
    (map, sums) => map.flush(sums.reduce((a, b) => map.add(a, b))),
    () => [
      [
        prediction,
        elementwise(graph, `${graph.name(prediction)}.grad`, "meanSquaredErrorGradient", [error], (map, [e]) =>
          map.flush(map.mul(e!, map.immediate((2 * share) / words))),
        ),
      ],
    ],
  );
}

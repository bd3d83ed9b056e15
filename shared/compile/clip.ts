/**
 * Gradient clipping. By value: every element into ±value. By norm, as PyTorch's `clip_grad_norm_`: all gradients times
 * min(1, norm / (N + 1e-6)), N the root of the sum of the squares of all of them.
 *
 * N is computed in units of the greatest peak M (a power of two, so dividing by it is exact): N = M √Σ (g / M)². That keeps every sum
 * within a tensor's length, whatever the gradients are, and steps valid that clipping is there to save.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementwise } from "../layers/elementwise.ts";
import { SQUARES_PIECE, squares, tensorPeak } from "../layers/squares.ts";
import { sumAxes } from "../layers/sum.ts";
import type { ClipSettings } from "../task/settings.ts";

/** What PyTorch adds to the norm. */
const NORM_FLOOR = 1e-6;
/** Greatest sum of squares of a piece in units of M², with room for rounding. */
const PIECE_BOUND = 2 * SQUARES_PIECE;
/** Greatest magnitude that a peak measures, as a bound of M. */
const GUARD = 2 ** 20;
const BITS = 22;

export function clipGradients(
  graph: SourceGraph,
  gradients: readonly ValueId[],
  { value, norm }: ClipSettings,
  name = "gradient",
): ValueId[] {
  if (value !== undefined) {
    return gradients.map((gradient) =>
      elementwise(graph, `${graph.name(gradient)}.clipped`, "clip", [gradient], (map, [g]) =>
        map.clamp(g!, -value, value),
      ),
    );
  }
  if (norm === undefined) return [...gradients];
  const factor = normFactor(graph, gradients, norm, name);
  return gradients.map((gradient) =>
    elementwise(graph, `${graph.name(gradient)}.clipped`, "clip", [gradient, factor], (map, [g, f]) =>
      map.flush(map.mul(g!, f!)),
    ),
  );
}

/** min(1, norm / (N + 1e-6)), [1]. */
function normFactor(graph: SourceGraph, gradients: readonly ValueId[], norm: number, name: string): ValueId {
  const unit = gradients
    .map((gradient) => tensorPeak(graph, gradient))
    .reduce((a, b) => elementwise(graph, `${name}.peak`, "max", [a, b], (map, [x, y]) => map.max(x!, y!)));
  const sums = gradients.flatMap((gradient) =>
    squares(graph, gradient, `${graph.name(gradient)}.squares`).map((pieces) => {
      const scaled = elementwise(graph, `${graph.name(gradient)}.scaled`, "clip", [pieces, unit], (map, [s, m]) => {
        const once = map.clamp(map.flush(map.div(s!, m!)), 0, PIECE_BOUND * GUARD);
        return map.clamp(map.flush(map.div(once, m!)), 0, PIECE_BOUND);
      });
      const count = graph.shape(pieces)[0]!;
      return count === 1 ? scaled : sumAxes(graph, scaled, 0, 1, `${graph.name(gradient)}.sum`, { bits: BITS });
    }),
  );
  const total = sums.reduce((a, b) =>
    elementwise(graph, `${name}.squares`, "add", [a, b], (map, [x, y]) => map.flush(map.add(x!, y!))),
  );
  return elementwise(graph, `${name}.factor`, "clip", [total, unit], (map, [s, m]) => {
    // The floor only tells an analysis that the root is not subnormal: it is a root of less than one squared unit of a grid.
    const length = map.mul(map.sqrt(map.max(s!, map.immediate(2 ** -60))), m!);
    return map.min(map.div(map.immediate(norm), map.add(length, map.immediate(NORM_FLOOR))), map.immediate(1));
  });
}

/**
 * The guard (docs/numerics.md, section 4). ReduceMax and Max may swallow a NaN, depending on where it stands, so everything is also
 * summed: a sum of magnitudes is NaN exactly when one of them is. The graph returns both; `readGuard` judges.
 */
import type { GraphBuilder, Value } from "./graph.ts";
import { reduceAll } from "./nodes.ts";

export class Guard {
  readonly #maxima = new Map<string, Value>();
  readonly #sums = new Map<string, Value>();

  /** Includes a tensor of magnitudes, and maxima of parts of it where they are known already. */
  include(graph: GraphBuilder, magnitudes: Value, maxima: Value = magnitudes): void {
    const most = reduceAll(graph, "ReduceMax", maxima);
    this.#maxima.set(most.name, most);
    const sum = reduceAll(graph, "ReduceSum", magnitudes);
    this.#sums.set(sum.name, sum);
  }

  /** The maximum and the sum of all magnitudes, each of shape []. */
  values(graph: GraphBuilder): { maximum: Value; sum: Value } {
    const [maxima, sums] = [[...this.#maxima.values()], [...this.#sums.values()]];
    const type = maxima[0]!.type;
    return { maximum: graph.node("Max", maxima, type, []), sum: graph.node("Sum", sums, type, []) };
  }
}

/** The maximum, or infinity when any magnitude is not a number. */
export function readGuard(maximum: number, sum: number): number {
  return Number.isNaN(maximum) || Number.isNaN(sum) ? Number.POSITIVE_INFINITY : maximum;
}

/**
 * The guard (docs/numerics.md, section 4). ReduceMax may swallow a NaN, depending on where it stands, so each tensor is also
 * summed: the sum of magnitudes is NaN exactly when one of them is. The graph returns all maxima, then all sums; `readGuard` judges.
 */
import type { GraphBuilder, Value } from "./graph.ts";
import { concat, reduce, reshape } from "./nodes.ts";

export class Guard {
  readonly #maxima = new Map<string, Value>();
  readonly #sums = new Map<string, Value>();

  /** Includes a tensor of magnitudes, and maxima of parts of it where they are known already. */
  include(graph: GraphBuilder, magnitudes: Value, maxima: Value = magnitudes): void {
    const most = maxima.shape.length === 0 ? maxima : reduce(graph, "ReduceMax", maxima);
    this.#maxima.set(most.name, reshape(graph, most, [1]));
    const sum = magnitudes.shape.length === 0 ? magnitudes : reduce(graph, "ReduceSum", magnitudes);
    this.#sums.set(sum.name, reshape(graph, sum, [1]));
  }

  /** Maxima and sums in one tensor, as many of the one as of the other. */
  value(graph: GraphBuilder): { value: Value; maxima: number } {
    const maxima = [...this.#maxima.values()];
    return { value: concat(graph, [...maxima, ...this.#sums.values()]), maxima: maxima.length };
  }
}

/** The greatest of the maxima; infinity when any magnitude is not a number. */
export function readGuard(values: Float32Array, maxima: number): number {
  const greatest = Math.max(...values.subarray(0, maxima));
  return Number.isNaN(greatest) || values.subarray(maxima).some(Number.isNaN) ? Number.POSITIVE_INFINITY : greatest;
}

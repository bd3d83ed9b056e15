/**
 * Stochastic gradient descent as PyTorch has it (dampening 0):
 *
 *     g' = g + decay · p        b' = μ b + g'        p' = p − rate · (Nesterov: g' + μ b'; else b')
 *
 * Without momentum there is no b, and p' = p − rate · g'.
 */

import type { SourceGraph, ValueId } from "../../graph/graph.ts";
import { elementwise } from "../../layers/elementwise.ts";
import { state } from "../../layers/leaf.ts";
import type { SgdSettings } from "../../task/settings.ts";
import { descend, type Optimizer, SharedScalars, withPenalty } from "./update.ts";

export function sgd(graph: SourceGraph, rate: ValueId, { momentum, nesterov }: SgdSettings): Optimizer {
  const scalars = new SharedScalars(graph);
  return (parameter) => {
    const { value, factor } = parameter;
    const name = graph.name(value);
    const gradient = withPenalty(graph, parameter);
    const stepSize = scalars.stepSize(rate, factor);
    if (momentum === 0) {
      const next = elementwise(graph, `${name}.next`, "sgd", [value, gradient, stepSize], (map, [p, g, a]) =>
        descend(map, p!, map.flush(g!), a!),
      );
      return { next, moments: [] };
    }
    const b = state(graph, `${name}.momentum`, graph.shape(value));
    const nextB = elementwise(graph, `${name}.momentum.next`, "sgd", [b, gradient], (map, [b, g]) =>
      map.flush(map.add(map.flush(map.mul(b!, map.immediate(momentum))), map.flush(g!))),
    );
    const inputs = [value, nextB, stepSize, ...(nesterov ? [gradient] : [])];
    const next = elementwise(graph, `${name}.next`, "sgd", inputs, (map, [p, b, a, g]) => {
      if (g === undefined) return descend(map, p!, b!, a!);
      const ahead = map.flush(map.add(map.flush(g), map.flush(map.mul(b!, map.immediate(momentum)))));
      return descend(map, p!, ahead, a!);
    });
    return { next, moments: [{ value: b, next: nextB }] };
  };
}

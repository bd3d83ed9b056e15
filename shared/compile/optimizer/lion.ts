/**
 * Lion (Chen et al. 2023):
 *
 *     p' = p (1 − rate · decay) − rate · sign(β1 m + (1 − β1) g)        m' = β2 m + (1 − β2) g
 */

import type { SourceGraph, ValueId } from "../../graph/graph.ts";
import { elementwise } from "../../layers/elementwise.ts";
import { state } from "../../layers/leaf.ts";
import type { LionSettings } from "../../task/settings.ts";
import { average, descend, type Optimizer, SharedScalars } from "./update.ts";

export function lion(graph: SourceGraph, rate: ValueId, { beta1, beta2 }: LionSettings): Optimizer {
  const scalars = new SharedScalars(graph);
  return ({ value, gradient, decay, factor }) => {
    const name = graph.name(value);
    const m = state(graph, `${name}.m`, graph.shape(value));
    const nextM = elementwise(graph, `${name}.m.next`, "lion", [m, gradient], (map, [m, g]) =>
      average(map, beta2, m!, 1 - beta2, g!),
    );
    const keep = decay === 0 ? [] : [scalars.keep(rate, factor, decay)];
    const inputs = [value, m, gradient, scalars.stepSize(rate, factor), ...keep];
    const next = elementwise(graph, `${name}.next`, "lion", inputs, (map, [p, m, g, a, k]) => {
      const blend = average(map, beta1, m!, 1 - beta1, g!);
      const zero = map.immediate(0);
      const sign = map.sub(map.less(zero, blend), map.less(blend, zero));
      return descend(map, p!, sign, a!, k);
    });
    return { next, moments: [{ value: m, next: nextM }] };
  };
}

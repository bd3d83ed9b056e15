/**
 * Adam (Kingma, Ba 2015) and AdamW (Loshchilov, Hutter 2019), with the bias corrections as schedule columns:
 *
 *     m' = β1 m + (1 − β1) g        v' = β2 v + (1 − β2) g²
 *     p' = p · keep − rate · c1 · m' / (√(c2 v') + ε)        c_i = 1 / (1 − β_i^t), t = step + 1
 *
 * AdamW keeps 1 − rate · decay of a weight; Adam keeps all of it and adds decay · p to g instead. Products that could be subnormal
 * are flushed or meet a constant first (docs/numerics.md, section 4.1): c2 v' has a floor of 2^-100, far below ε².
 */

import type { SourceGraph, ValueId } from "../../graph/graph.ts";
import { elementwise } from "../../layers/elementwise.ts";
import { state } from "../../layers/leaf.ts";
import type { AdamSettings } from "../../task/settings.ts";
import type { ScheduleColumns } from "../schedule.ts";
import { average, averageSquare, descend, type Optimizer, SharedScalars, withPenalty } from "./update.ts";

const SQUARE_FLOOR = 2 ** -100;

export function adam(
  graph: SourceGraph,
  columns: ScheduleColumns,
  rate: ValueId,
  settings: AdamSettings,
  prefix = "",
): Optimizer {
  const { kind, beta1, beta2, epsilon } = settings;
  const correction = (beta: number) => (step: number) => 1 / (1 - beta ** (step + 1));
  const correction1 = columns.column(`${prefix}correction1`, correction(beta1));
  const correction2 = columns.column(`${prefix}correction2`, correction(beta2));
  const scalars = new SharedScalars(graph);
  return (parameter) => {
    const { value, decay, factor } = parameter;
    const name = graph.name(value);
    const shape = graph.shape(value);
    const gradient = kind === "adam" ? withPenalty(graph, parameter) : parameter.gradient;
    const m = state(graph, `${name}.m`, shape);
    const v = state(graph, `${name}.v`, shape);
    const nextM = elementwise(graph, `${name}.m.next`, kind, [m, gradient], (map, [m, g]) =>
      average(map, beta1, m!, 1 - beta1, g!),
    );
    const nextV = elementwise(graph, `${name}.v.next`, kind, [v, gradient], (map, [v, g]) =>
      averageSquare(map, beta2, v!, 1 - beta2, g!),
    );
    const keep = kind === "adamw" && decay !== 0 ? [scalars.keep(rate, factor, decay)] : [];
    const next = elementwise(
      graph,
      `${name}.next`,
      kind,
      [value, nextM, nextV, scalars.stepSize(rate, factor, correction1), correction2, ...keep],
      (map, [p, m, v, a, c2, k]) => {
        const square = map.max(map.mul(v!, c2!), map.immediate(SQUARE_FLOOR));
        const direction = map.div(m!, map.add(map.sqrt(square), map.immediate(epsilon)));
        return descend(map, p!, direction, a!, k);
      },
    );
    return {
      next,
      moments: [
        { value: m, next: nextM },
        { value: v, next: nextV },
      ],
    };
  };
}

/**
 * AdamW (Loshchilov, Hutter 2019), with the bias corrections as schedule columns:
 *
 *     m' = β1 m + (1 − β1) g        v' = β2 v + (1 − β2) g²
 *     p' = p (1 − rate · decay) − rate · c1 · m' / (√(c2 v') + ε)        c_i = 1 / (1 − β_i^t), t = step + 1
 *
 * Three Maps a parameter; decay applies to tensors of rank 2 and above. Products that could be subnormal are flushed or meet
 * a constant first (docs/numerics.md, section 4.1): c2 v' has a floor of 2^-100, far below ε², and the step is subtracted
 * from the flush constant itself, (p k + (c − s)) − c, which saves one pass over the weights.
 */
import { elementwise } from "../../layers/elementwise.ts";
import { scheduleColumn, state } from "../../layers/leaf.ts";
import type { SourceGraph, ValueId } from "../graph.ts";
import { FLUSH } from "../mapBuilder.ts";
import type { OptimizerSettings } from "../task.ts";

/** Schedule columns that AdamW reads, in order; `schedule.ts` fills them. */
export const ADAMW_COLUMNS = ["rate", "correction1", "correction2"] as const;

/** A state tensor and the value that replaces it after the step. */
export interface Update {
  readonly value: ValueId;
  readonly next: ValueId;
}

const SQUARE_FLOOR = 2 ** -100;
const KEPT_FLOOR = 2 ** -20;

/** Adds the update of every parameter; the result is the state in program order: parameters, then all m, then all v. */
export function adamw(
  graph: SourceGraph,
  parameters: readonly { readonly value: ValueId; readonly gradient: ValueId }[],
  options: OptimizerSettings,
): readonly Update[] {
  const [rate, correction1, correction2] = ADAMW_COLUMNS.map((name, column) => scheduleColumn(graph, name, column)) as [
    ValueId,
    ValueId,
    ValueId,
  ];
  const stepSize = elementwise(graph, "stepSize", "adamw", [rate, correction1], (map, [r, c]) =>
    map.flush(map.mul(r!, c!)),
  );
  // The floor only tells an analysis that a weight is not scaled to nothing.
  const keep = elementwise(graph, "keep", "adamw", [rate], (map, [r]) =>
    map.max(map.sub(map.immediate(1), map.mul(r!, map.immediate(options.weightDecay))), map.immediate(KEPT_FLOOR)),
  );
  const updates = parameters.map(({ value, gradient }) => {
    const name = graph.name(value);
    const shape = graph.shape(value);
    const m = state(graph, `${name}.m`, shape);
    const v = state(graph, `${name}.v`, shape);
    const nextM = elementwise(graph, `${name}.m.next`, "adamw", [m, gradient], (map, [m, g]) =>
      map.flush(map.add(map.mul(m!, map.immediate(options.beta1)), map.mul(g!, map.immediate(1 - options.beta1)))),
    );
    const nextV = elementwise(graph, `${name}.v.next`, "adamw", [v, gradient], (map, [v, g]) =>
      map.flush(
        map.add(
          map.mul(v!, map.immediate(options.beta2)),
          map.mul(map.flush(map.mul(g!, g!)), map.immediate(1 - options.beta2)),
        ),
      ),
    );
    const decays = shape.length >= 2 && options.weightDecay !== 0;
    const next = elementwise(
      graph,
      `${name}.next`,
      "adamw",
      [value, nextM, nextV, stepSize, correction2, ...(decays ? [keep] : [])],
      (map, [p, m, v, a, c2, k]) => {
        const square = map.max(map.mul(v!, c2!), map.immediate(SQUARE_FLOOR));
        const direction = map.div(m!, map.add(map.sqrt(square), map.immediate(options.epsilon)));
        const negated = map.sub(map.immediate(FLUSH), map.mul(direction, a!));
        const kept = k === undefined ? p! : map.mul(p!, k);
        return map.sub(map.add(kept, negated), map.immediate(FLUSH));
      },
    );
    return [
      { value, next },
      { value: m, next: nextM },
      { value: v, next: nextV },
    ] as const;
  });
  return [0, 1, 2].flatMap((part) => updates.map((update) => update[part]!));
}

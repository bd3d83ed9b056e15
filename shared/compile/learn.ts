/** From losses to the updates of one model's parameters. */

import type { SourceGraph } from "../graph/graph.ts";
import type { Parameter } from "../import/import.ts";
import { ModelError } from "../program/errors.ts";
import { differentiate, type LossSeed } from "./differentiate.ts";
import { type OptimizeSettings, optimize } from "./optimize.ts";
import type { ParameterUpdate } from "./optimizer/update.ts";
import type { ChosenParameters } from "./parameters.ts";
import type { ScheduleColumns } from "./schedule.ts";

export interface Learnt {
  readonly trained: readonly Parameter[];
  /** One for each trained parameter. */
  readonly updates: readonly ParameterUpdate[];
  /** Frozen parameters, and those that no loss depends on. */
  readonly still: readonly Parameter[];
}

/**
 * @param prefix of the schedule's columns, where a program has several optimizers.
 * @throws ModelError when no loss depends on any of the parameters that are to be trained.
 */
export function learn(
  graph: SourceGraph,
  columns: ScheduleColumns,
  losses: readonly LossSeed[],
  { trained, frozen }: Pick<ChosenParameters, "trained" | "frozen">,
  settings: OptimizeSettings,
  prefix = "",
): Learnt {
  const gradients = differentiate(
    graph,
    losses,
    trained.map(({ value }) => value),
  );
  const learning = trained.flatMap((parameter, index) => {
    const gradient = gradients[index]!;
    return gradient === null ? [] : [{ ...parameter, gradient }];
  });
  if (learning.length === 0) {
    throw new ModelError("it has no parameter to train", "Keep the weights as initializers that the loss depends on.");
  }
  return {
    trained: learning,
    updates: optimize(graph, columns, learning, settings, prefix),
    still: [...frozen, ...trained.filter((_, index) => gradients[index] === null)],
  };
}

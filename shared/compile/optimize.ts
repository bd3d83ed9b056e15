/** From gradients to the state's updates: clipping, groups, the optimizer, the order of the state. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { SettingError } from "../program/errors.ts";
import { type ClipSettings, MAX_BETA, type OptimizerSettings, type RateSettings } from "../task/settings.ts";
import { clipGradients } from "./clip.ts";
import { idlePattern, matchesGlob } from "./glob.ts";
import { adam } from "./optimizer/adam.ts";
import { lion } from "./optimizer/lion.ts";
import { sgd } from "./optimizer/sgd.ts";
import type { Optimizer, ParameterUpdate, TrainedParameter } from "./optimizer/update.ts";
import { rateAt, requireRate, type ScheduleColumns } from "./schedule.ts";

export interface OptimizeSettings {
  readonly optimizer: OptimizerSettings;
  readonly rate: RateSettings;
  readonly clip?: ClipSettings | undefined;
  readonly steps: number;
}

/** A parameter of a model, under its name in the file. */
export interface Gradient {
  readonly name: string;
  readonly value: ValueId;
  readonly gradient: ValueId;
}

/**
 * Adds the update of every parameter.
 * @param prefix of the schedule's columns, where a program has several optimizers.
 * @returns one update for each parameter, in their order.
 * @throws SettingError
 */
export function optimize(
  graph: SourceGraph,
  columns: ScheduleColumns,
  parameters: readonly Gradient[],
  { optimizer, rate, clip, steps }: OptimizeSettings,
  prefix = "",
): ParameterUpdate[] {
  requireOptimizer(optimizer);
  requireRate(rate, steps);
  const gradients = parameters.map(({ gradient }) => gradient);
  const clipped = clip === undefined ? gradients : clipGradients(graph, gradients, clip, `${prefix}gradient`);
  const update = optimizerOf(
    graph,
    columns,
    columns.column(`${prefix}rate`, (step) => rateAt(rate, step, steps)),
    optimizer,
    prefix,
  );
  const groupOf = grouping(graph, parameters, optimizer);
  return parameters.map((parameter, index) => {
    const { value } = parameter;
    return update({ value, gradient: clipped[index]!, ...groupOf(parameter) });
  });
}

function optimizerOf(
  graph: SourceGraph,
  columns: ScheduleColumns,
  rate: ValueId,
  settings: OptimizerSettings,
  prefix: string,
): Optimizer {
  switch (settings.kind) {
    case "sgd":
      return sgd(graph, rate, settings);
    case "lion":
      return lion(graph, rate, settings);
    default:
      return adam(graph, columns, rate, settings, prefix);
  }
}

/** What each parameter's group says; without one, decay is for tensors of rank 2 and more. */
function grouping(
  graph: SourceGraph,
  parameters: readonly Gradient[],
  { groups = [], weightDecay }: OptimizerSettings,
): (parameter: Gradient) => Pick<TrainedParameter, "decay" | "factor"> {
  const names = parameters.map(({ name }) => name);
  for (const [index, { match }] of groups.entries()) {
    const idle = idlePattern(names, match);
    if (idle !== null) {
      throw new SettingError(
        `optimizer.groups.${index}`,
        `"${idle}" matches no parameter`,
        `There are ${names.join(", ")}.`,
      );
    }
  }
  return ({ name, value }) => {
    const group = groups.find(({ match }) => matchesGlob(name, match));
    const usual = graph.shape(value).length >= 2 ? weightDecay : 0;
    return { decay: group?.weightDecay ?? usual, factor: group?.rate ?? 1 };
  };
}

/** @throws SettingError when a number of the optimizer makes no sense. */
function requireOptimizer(optimizer: OptimizerSettings): void {
  const within = (setting: string, value: number, least: number, below: number): void => {
    if (!(value >= least && value < below)) {
      throw new SettingError(`optimizer.${setting}`, `${value} is not in [${least}, ${below})`);
    }
  };
  within("weightDecay", optimizer.weightDecay, 0, 1);
  if (optimizer.kind === "sgd") {
    within("momentum", optimizer.momentum, 0, 1);
    if (optimizer.nesterov && optimizer.momentum === 0) {
      throw new SettingError("optimizer.nesterov", "there is no momentum to look ahead along");
    }
    return;
  }
  for (const key of ["beta1", "beta2"] as const) {
    const value = optimizer[key];
    if (!(value >= 0 && value <= MAX_BETA)) {
      throw new SettingError(`optimizer.${key}`, `${value} is not in [0, ${MAX_BETA}]`);
    }
  }
  if (optimizer.kind !== "lion") within("epsilon", optimizer.epsilon, 1e-12, 1);
}

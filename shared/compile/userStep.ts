/**
 * A whole training step as an ONNX file (docs/models.md, "A whole step"): nothing is differentiated or added. An output `NAME.next` replaces the
 * initializer NAME after the step, inputs `schedule.NAME` are columns of the schedule, other inputs are fields of the samples.
 */

import { SourceGraph, type ValueId } from "../graph/graph.ts";
import type { StateEntry, StepGraph } from "../graph/lower.ts";
import { type ImportedModel, importModel, modelInputs } from "../import/import.ts";
import { elementwise } from "../layers/elementwise.ts";
import { constant } from "../layers/leaf.ts";
import { reshape } from "../layers/reshape.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import { decodeModel } from "../onnx/decode.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { Dtype, sameShape, wordCount } from "../program/descriptor.ts";
import { ModelError, SettingError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";
import type { ColumnSettings } from "../task/settings.ts";
import { type BuiltStep, wordsByValue } from "./builtStep.ts";
import { BatchFields } from "./fields.ts";
import { matchesGlob } from "./glob.ts";
import { rateAt, requireRate, ScheduleColumns } from "./schedule.ts";

export const NEXT_SUFFIX = ".next";
export const SCHEDULE_PREFIX = "schedule.";
export const STEP_LOSS = "loss";
/** What the step predicts, for evaluation; it may be absent. */
export const STEP_PREDICTION = "output";

export interface UserStepSettings {
  readonly kind: "step";
  /** Bytes of the ONNX file. */
  readonly model: Uint8Array;
  readonly fields: readonly SampleField[];
  readonly batch: number;
  readonly steps: number;
  readonly order?: SampleOrder | undefined;
  /** What the inputs `schedule.NAME` hold, by NAME. */
  readonly columns?: Readonly<Record<string, ColumnSettings>> | undefined;
  /** Patterns of the state tensors that are the optimizer's own, and no part of the trained model. */
  readonly moments?: readonly string[] | undefined;
}

export function buildUserStep(settings: UserStepSettings): BuiltStep {
  const graph = new SourceGraph();
  const model = decodeModel(settings.model);
  const fields = new BatchFields(graph, settings.fields, settings.batch, settings.order);
  const columns = new ScheduleColumns(graph);
  const inputs = new Map(
    modelInputs(model).map(({ name, dimensions }): [string, ValueId] => {
      if (!name.startsWith(SCHEDULE_PREFIX)) return [name, fields.whole(name)];
      const column = scheduleInput(columns, name.slice(SCHEDULE_PREFIX.length), settings);
      return [
        name,
        reshape(
          graph,
          column,
          (dimensions ?? []).map(() => 1),
        ),
      ];
    }),
  );
  const imported = importModel(graph, model, { inputs });
  return {
    step: {
      graph,
      ...stepParts(graph, imported, settings.moments),
      fields: settings.fields,
      scheduleColumns: columns.names,
    },
    initial: wordsByValue(imported.parameters),
    columns,
  };
}

/** Whether a file is such a step: it says what replaces something. */
export function isUserStep({ graph }: OnnxModel): boolean {
  return graph.outputs.some(({ name }) => name.endsWith(NEXT_SUFFIX));
}

/**
 * State, constants and results of a step by the names of its outputs.
 * @throws ModelError when they do not fit together.
 */
export function stepParts(
  graph: SourceGraph,
  { outputs, parameters, updates }: ImportedModel,
  moments: readonly string[] = [],
): Pick<StepGraph, "state" | "constants" | "loss" | "logits"> {
  const found = [...outputs].flatMap(([name, value]) =>
    name.endsWith(NEXT_SUFFIX) ? [{ name: name.slice(0, -NEXT_SUFFIX.length), next: value }] : [],
  );
  if (found.length === 0) {
    throw new ModelError("it has no output NAME.next", "Name what replaces the initializer NAME so.");
  }
  const replaced = new Map([
    ...updates.flatMap(({ name, next }) => (next === null ? [] : [[name, next] as const])),
    ...found.map(({ name, next }) => [name, next] as const),
  ]);
  for (const name of replaced.keys()) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      throw new ModelError(
        `it has an output "${name}${NEXT_SUFFIX}" and no float32 initializer "${name}" that is used`,
        "State starts as the initializer that it is named after.",
      );
    }
  }
  const state = parameters.flatMap(({ name, value }): StateEntry[] => {
    const next = replaced.get(name);
    if (next === undefined) return [];
    if (graph.node(next).dtype !== Dtype.float32 || !sameShape(graph.shape(next), graph.shape(value))) {
      throw new ModelError(
        `its output "${name}${NEXT_SUFFIX}" [${graph.shape(next)}] is not float32 [${graph.shape(value)}]`,
        "It must be of the initializer's shape.",
      );
    }
    const isMoment = matchesGlob(name, moments);
    return [{ value, next: flushed(graph, next, `${name}${NEXT_SUFFIX}`), ...(isMoment ? { role: "moment" } : {}) }];
  });
  const isState = new Set(state.map(({ value }) => value));
  const loss = lossOf(graph, outputs.get(STEP_LOSS));
  const constants = wordsByValue(parameters.filter(({ value }) => !isState.has(value)));
  return { state, constants, loss, logits: outputs.get(STEP_PREDICTION) ?? loss };
}

/** State is flushed, whatever its author does (docs/numerics.md, section 4.1). */
function flushed(graph: SourceGraph, value: ValueId, name: string): ValueId {
  return elementwise(graph, name, "flush", [value], (map, [x]) => map.flush(x!));
}

function lossOf(graph: SourceGraph, value: ValueId | undefined): ValueId {
  if (value === undefined || graph.node(value).dtype !== Dtype.float32 || wordCount(graph.shape(value)) !== 1) {
    throw new ModelError(
      `it has no float32 output "${STEP_LOSS}" of one number`,
      "Give one that says how well it goes.",
    );
  }
  return reshape(graph, value, [1]);
}

function scheduleInput(
  columns: ScheduleColumns,
  name: string,
  { columns: given = {}, steps }: UserStepSettings,
): ValueId {
  const settings = given[name];
  const setting = `columns.${name}`;
  if (settings === undefined) {
    throw new SettingError(setting, `the model reads ${SCHEDULE_PREFIX}${name}, and nothing says what it holds`);
  }
  switch (settings.kind) {
    case "values":
      if (settings.values.length !== steps) {
        throw new SettingError(setting, `there are ${settings.values.length} values for ${steps} steps`);
      }
      return columns.column(name, (step) => settings.values[step]!);
    case "correction":
      return columns.column(name, (step) => 1 / (1 - settings.beta ** (step + 1)));
    default:
      requireRate(settings, steps, setting);
      return columns.column(name, (step) => rateAt(settings, step, steps));
  }
}

/** A loss for steps that have none: always 0. */
export function noLoss(graph: SourceGraph): ValueId {
  const zero = constant(graph, "zero", { dtype: Dtype.float32, shape: [1], words: new Uint32Array(1) });
  return elementwise(graph, "loss", "zero", [zero], (_, [x]) => x!);
}

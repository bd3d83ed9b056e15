/** The step that trains one model: forward, loss, gradients, optimizer. */

import { SourceGraph, type ValueId } from "../graph/graph.ts";
import type { ForwardUpdate, ImportedModel, Parameter } from "../import/import.ts";
import { add } from "../layers/add.ts";
import { concat } from "../layers/join.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import { decodeModel } from "../onnx/decode.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { SettingError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";
import type { LoraSettings, LossSettings } from "../task/settings.ts";
import { type BuiltStep, orderedState, wordsByValue } from "./builtStep.ts";
import { BatchFields } from "./fields.ts";
import { forward } from "./forward.ts";
import { learn } from "./learn.ts";
import { withAdapters } from "./lora.ts";
import { type LossPart, lossPart } from "./loss.ts";
import type { OptimizeSettings } from "./optimize.ts";
import { chooseParameters, type ParameterChoice } from "./parameters.ts";
import { ScheduleColumns } from "./schedule.ts";

export interface SupervisedSettings extends OptimizeSettings, ParameterChoice {
  readonly kind?: "train" | undefined;
  /** Bytes of a forward ONNX model. Its inputs are fields of the data, its parameters float32 initializers. */
  readonly model: Uint8Array;
  /** Layout of a sample: the model's inputs by name (`input` for a model with one), and `target`. */
  readonly fields: readonly SampleField[];
  /** Rows of a step's batch. */
  readonly batch: number;
  /** How a run goes through the samples; with replacement when absent. */
  readonly order?: SampleOrder | undefined;
  /** Micro-batches that the batch is taken in, one after the other; 1 when absent. */
  readonly accumulate?: number | undefined;
  readonly loss: LossSettings;
  /** Adapters beside some weights; then only they are trained, and what `train` names. */
  readonly lora?: LoraSettings | undefined;
  /** Seed of the run, from which adapters take their first values. */
  readonly seed?: bigint | undefined;
}

export function buildSupervised(settings: SupervisedSettings): BuiltStep {
  const graph = new SourceGraph();
  const fields = new BatchFields(graph, settings.fields, settings.batch, settings.order);
  const { model, choice } = readModel(settings);
  const { models, parts } = unroll(graph, model, fields, settings);
  const { parameters } = models[0]!;
  const chosen = chooseParameters(parameters, lastUpdates(models), choice);
  const loss = parts.map((part) => part.loss).reduce((a, b) => add(graph, a, b, "loss"));
  const columns = new ScheduleColumns(graph);
  const learnt = learn(graph, columns, parts, chosen, settings);
  return {
    step: {
      graph,
      state: orderedState([{ ...learnt, running: chosen.running }]),
      constants: wordsByValue(learnt.still),
      loss,
      logits: wholePrediction(graph, parts),
      fields: settings.fields,
      scheduleColumns: columns.names,
    },
    initial: wordsByValue(parameters),
    columns,
  };
}

/**
 * The model as it is evaluated: nothing is dropped, running statistics are used, the whole batch at once, nothing is replaced.
 * @param kept names of the tensors that a state of the training holds; the model's other parameters are constants.
 */
export function buildEvaluation(settings: SupervisedSettings, kept: ReadonlySet<string>): BuiltStep {
  const graph = new SourceGraph();
  const { batch, loss } = settings;
  const fields = new BatchFields(graph, settings.fields, batch, settings.order);
  const rows = { first: 0, count: batch, share: 1 };
  const imported = forward(graph, readModel(settings).model, fields, rows, { training: false });
  const part = lossPart(graph, loss, imported, fields, rows);
  const isKept = ({ name }: Parameter): boolean => kept.has(name);
  return {
    step: {
      graph,
      state: imported.parameters.filter(isKept).map(({ value }) => ({ value, next: null })),
      constants: wordsByValue(imported.parameters.filter((parameter) => !isKept(parameter))),
      loss: part.loss,
      logits: part.prediction,
      fields: settings.fields,
      scheduleColumns: [],
    },
    initial: wordsByValue(imported.parameters),
    columns: new ScheduleColumns(graph),
  };
}

/** The model, with its adapters where it is to have some, and what of it is trained. */
function readModel({ model: bytes, lora, train, freeze, seed = 0n }: SupervisedSettings): {
  model: OnnxModel;
  choice: ParameterChoice;
} {
  const model = decodeModel(bytes);
  if (lora === undefined) return { model, choice: { train, freeze } };
  const adapted = withAdapters(model, lora, seed);
  return { model: adapted.model, choice: { train: [...adapted.adapters, ...(train ?? [])], freeze } };
}

/** The model on each micro-batch, with the same parameters; running statistics go from one to the next. */
function unroll(
  graph: SourceGraph,
  model: OnnxModel,
  fields: BatchFields,
  { accumulate = 1, batch, loss }: SupervisedSettings,
): { models: ImportedModel[]; parts: LossPart[] } {
  const count = batch / accumulate;
  if (!Number.isInteger(count)) {
    throw new SettingError("accumulate", `a batch of ${batch} is no ${accumulate} equal micro-batches`);
  }
  const models: ImportedModel[] = [];
  const parts: LossPart[] = [];
  const shared = new Map<string, ValueId>();
  for (let micro = 0; micro < accumulate; micro++) {
    const first = micro * count;
    const imported = forward(graph, model, fields, { first, count }, { parameters: shared });
    for (const { name, value } of imported.parameters) shared.set(name, value);
    for (const { name, next } of imported.updates) if (next !== null) shared.set(name, next);
    models.push(imported);
    parts.push(lossPart(graph, loss, imported, fields, { first, count, share: 1 / accumulate }));
  }
  return { models, parts };
}

/** The predictions for all rows of the batch, as far as there is one for each. */
function wholePrediction(graph: SourceGraph, parts: readonly LossPart[]): ValueId {
  const [first, ...others] = parts.map(({ prediction }) => prediction) as [ValueId, ...ValueId[]];
  if (others.length === 0 || graph.shape(first).length < 2) return first;
  return concat(graph, [first, ...others], 0, `${graph.name(first)}.batch`);
}

/** What the last micro-batch makes of each running statistic. */
function lastUpdates(models: readonly ImportedModel[]): ForwardUpdate[] {
  return [...new Map(models.flatMap(({ updates }) => updates.map((update) => [update.name, update]))).values()];
}

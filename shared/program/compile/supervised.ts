/** The step that trains one model: forward, loss, gradients, optimizer. */
import { add } from "../../layers/add.ts";
import type { SampleOrder } from "../../numerics/sampleOrder.ts";
import { differentiate } from "../differentiate.ts";
import { ModelError, SettingError } from "../errors.ts";
import { SourceGraph, type ValueId } from "../graph.ts";
import type { ForwardUpdate, ImportedModel, Parameter } from "../import.ts";
import type { StateEntry, StepGraph } from "../lower.ts";
import { decodeModel } from "../onnx/decode.ts";
import type { OnnxModel } from "../onnx/model.ts";
import type { SampleField } from "../program.ts";
import { ScheduleColumns } from "../schedule.ts";
import type { LossSettings } from "../settings.ts";
import { BatchFields } from "./fields.ts";
import { forward } from "./forward.ts";
import { type LossPart, lossPart } from "./loss.ts";
import { type OptimizeSettings, optimize, orderedState } from "./optimize.ts";
import { chooseParameters, type ParameterChoice } from "./parameters.ts";

export interface SupervisedSettings extends OptimizeSettings, ParameterChoice {
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
}

/** What a compiler of steps gives: the step, the state that it starts from, and the schedule's columns. */
export interface BuiltStep {
  readonly step: StepGraph;
  /** Words of state tensors that do not start from zero. */
  readonly initial: ReadonlyMap<ValueId, Uint32Array>;
  readonly columns: ScheduleColumns;
}

export function buildSupervised(settings: SupervisedSettings): BuiltStep {
  const graph = new SourceGraph();
  const fields = new BatchFields(graph, settings.fields, settings.batch, settings.order);
  const { models, parts } = unroll(graph, decodeModel(settings.model), fields, settings);
  const { parameters } = models[0]!;
  const { trained, running, frozen } = chooseParameters(parameters, lastUpdates(models), settings);
  const loss = parts.map((part) => part.loss).reduce((a, b) => add(graph, a, b, "loss"));
  const found = differentiate(
    graph,
    parts,
    trained.map(({ value }) => value),
  );
  const isUsed = (_: Parameter, index: number): boolean => found[index] !== null;
  const learning = trained.filter(isUsed).map((parameter, index) => {
    return { ...parameter, gradient: found.filter((gradient) => gradient !== null)[index]! };
  });
  if (learning.length === 0) {
    throw new ModelError("it has no parameter to train", "Keep the weights as initializers that the loss depends on.");
  }
  const columns = new ScheduleColumns(graph);
  const updates = optimize(graph, columns, learning, settings);
  const ordered = orderedState(learning, updates);
  const state: StateEntry[] = [
    ...ordered.filter(({ isMoment }) => !isMoment).map(({ value, next }) => ({ value, next })),
    ...running.map(({ parameter, update }) => ({
      value: parameter.value,
      next: update.next,
      role: "running" as const,
    })),
    ...ordered.filter(({ isMoment }) => isMoment).map(({ value, next }) => ({ value, next, role: "moment" as const })),
  ];
  const idle = trained.filter((parameter, index) => !isUsed(parameter, index));
  return {
    step: {
      graph,
      state,
      constants: new Map([...frozen, ...idle].map(({ value, initial }) => [value, initial])),
      loss,
      logits: parts[0]!.prediction,
      fields: settings.fields,
      scheduleColumns: columns.names,
    },
    initial: new Map(parameters.map(({ value, initial }) => [value, initial])),
    columns,
  };
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

/** What the last micro-batch makes of each running statistic. */
function lastUpdates(models: readonly ImportedModel[]): ForwardUpdate[] {
  return [...new Map(models.flatMap(({ updates }) => updates.map((update) => [update.name, update]))).values()];
}

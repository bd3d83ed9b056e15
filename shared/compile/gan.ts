/**
 * Two networks against each other (Goodfellow et al. 2014): the discriminator learns to tell samples from what the generator makes of noise,
 * the generator to be taken for samples. Both losses are binary cross-entropies of the discriminator's logits:
 *
 *     discriminator: L(D(x), 1) + L(D(G(z)), 0)        generator: L(D'(G(z)), 1)
 *
 * D' is the discriminator after its update of the same step, as PyTorch code usually has it, or before it ("together"). What one step
 * reports as its loss is the sum of both.
 */

import { SourceGraph, type ValueId } from "../graph/graph.ts";
import { type ForwardUpdate, type ImportedModel, importModel, modelInputs, type Parameter } from "../import/import.ts";
import { add } from "../layers/add.ts";
import { binaryCrossEntropy } from "../layers/binaryCrossEntropy.ts";
import { constant } from "../layers/leaf.ts";
import { normal, uniform } from "../layers/normal.ts";
import { fromNumber } from "../numerics/float32.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import { decodeModel } from "../onnx/decode.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";
import { type BuiltStep, orderedState, wordsByValue } from "./builtStep.ts";
import { BatchFields } from "./fields.ts";
import { INPUT_FIELD, outputOf } from "./forward.ts";
import { type Learnt, learn } from "./learn.ts";
import type { OptimizeSettings } from "./optimize.ts";
import { type ChosenParameters, chooseParameters } from "./parameters.ts";
import { ScheduleColumns } from "./schedule.ts";

type NetworkSettings = Pick<OptimizeSettings, "optimizer" | "rate" | "clip">;

export interface GanSettings {
  readonly kind: "gan";
  /** Bytes of the generator: fields of the data, and noise for the input that is none → what the discriminator judges. */
  readonly model: Uint8Array;
  /** Bytes of the discriminator: a sample (and other fields) → a logit. */
  readonly discriminatorModel: Uint8Array;
  readonly fields: readonly SampleField[];
  readonly batch: number;
  readonly steps: number;
  readonly order?: SampleOrder | undefined;
  /** Of mean 0: normal with deviation 1 (by default), or uniform in [−1, 1). */
  readonly noise?: "normal" | "uniform" | undefined;
  /** Which discriminator the generator learns from. */
  readonly updates?: "discriminatorFirst" | "together" | undefined;
  readonly generator: NetworkSettings;
  readonly discriminator: NetworkSettings;
}

export function buildGan(settings: GanSettings): BuiltStep {
  const graph = new SourceGraph();
  const { steps, updates } = settings;
  const fields = new BatchFields(graph, settings.fields, settings.batch, settings.order);
  const columns = new ScheduleColumns(graph);
  const generator = importGenerator(graph, fields, settings);
  const fake = outputOf(graph, generator, null);
  const discriminator = new Discriminator(graph, fields, settings.discriminatorModel);

  const realLoss = judgement(graph, discriminator.judge(null), 1, "discriminator.real");
  const made = discriminator.judge(fake);
  const fakeLoss = judgement(graph, made, 0, "discriminator.fake");
  const judge = learn(
    graph,
    columns,
    [{ loss: realLoss }, { loss: fakeLoss }],
    discriminator.chosen(),
    { ...settings.discriminator, steps },
    "discriminator.",
  );
  if (updates !== "together") discriminator.replace(judge);
  const persuasion = judgement(graph, updates === "together" ? made : discriminator.judge(fake), 1, "generator.loss");
  const chosen = chooseParameters(generator.parameters, generator.updates, {});
  const maker = learn(graph, columns, [{ loss: persuasion }], chosen, { ...settings.generator, steps }, "generator.");
  return {
    step: {
      graph,
      state: orderedState([
        { ...maker, running: chosen.running },
        { ...judge, running: discriminator.chosen().running },
      ]),
      constants: wordsByValue([...maker.still, ...judge.still]),
      loss: add(graph, add(graph, realLoss, fakeLoss, "discriminator.loss"), persuasion, "loss"),
      logits: fake,
      fields: settings.fields,
      scheduleColumns: columns.names,
    },
    initial: wordsByValue([...generator.parameters, ...discriminator.parameters]),
    columns,
  };
}

/** The discriminator on samples and on what the generator makes, with the same parameters; running statistics go from one to the next. */
class Discriminator {
  readonly #graph: SourceGraph;
  readonly #fields: BatchFields;
  readonly #model: OnnxModel;
  /** What stands for each parameter by now. */
  readonly #shared = new Map<string, ValueId>();
  readonly #updates = new Map<string, ForwardUpdate>();
  #parameters: readonly Parameter[] = [];

  constructor(graph: SourceGraph, fields: BatchFields, model: Uint8Array) {
    this.#graph = graph;
    this.#fields = fields;
    this.#model = decodeModel(model);
  }

  get parameters(): readonly Parameter[] {
    return this.#parameters;
  }

  chosen(): ChosenParameters {
    return chooseParameters(this.#parameters, [...this.#updates.values()], {});
  }

  /** Logits for what the generator made; for the samples where `fake` is null. */
  judge(fake: ValueId | null): ValueId {
    const [judged, ...others] = judgedInputs(this.#model);
    const sample = fieldJudged(judged.name, (name) => this.#fields.has(name));
    const inputs = new Map([
      [judged.name, fake ?? this.#fields.whole(sample)],
      ...others.map(({ name }): [string, ValueId] => [name, this.#fields.whole(name)]),
    ]);
    const options = { inputs, parameters: this.#shared, prefix: "discriminator." };
    const imported = importModel(this.#graph, this.#model, options);
    if (this.#parameters.length === 0) this.#parameters = imported.parameters;
    for (const { name, value } of imported.parameters) this.#shared.set(name, value);
    for (const update of imported.updates) {
      this.#updates.set(update.name, update);
      if (update.next !== null) this.#shared.set(update.name, update.next);
    }
    return outputOf(this.#graph, imported, null);
  }

  /** From here on the discriminator is the one after its update. */
  replace({ trained, updates }: Pick<Learnt, "trained" | "updates">): void {
    for (const [index, { name }] of trained.entries()) this.#shared.set(name, updates[index]!.next);
  }
}

/** Name of the field that a discriminator judges, and that the generator imitates. @throws OnnxFormatError, ModelError. */
export function imitatedField(discriminatorModel: Uint8Array, fields: readonly SampleField[]): string {
  const [judged] = judgedInputs(decodeModel(discriminatorModel));
  return fieldJudged(judged.name, (name) => fields.some((field) => field.name === name));
}

type ModelInput = ReturnType<typeof modelInputs>[number];

function judgedInputs(model: OnnxModel): readonly [ModelInput, ...ModelInput[]] {
  const [judged, ...others] = modelInputs(model);
  if (judged === undefined) throw new ModelError("the discriminator has no input", "Give it what it judges first.");
  return [judged, ...others];
}

function fieldJudged(input: string, has: (name: string) => boolean): string {
  return has(input) ? input : INPUT_FIELD;
}

function importGenerator(graph: SourceGraph, fields: BatchFields, settings: GanSettings): ImportedModel {
  const model = decodeModel(settings.model);
  const noisy = modelInputs(model).filter(({ name }) => !fields.has(name));
  if (noisy.length > 1) {
    throw new ModelError(
      `the generator has ${noisy.length} inputs that are no field of the data`,
      "One is for noise; name the others after fields.",
    );
  }
  const inputs = modelInputs(model).map(({ name, dimensions }): [string, ValueId] => {
    if (fields.has(name)) return [name, fields.whole(name)];
    const [, ...rest] = dimensions ?? [];
    if (dimensions === null || rest.some((dimension) => typeof dimension === "string")) {
      throw new ModelError(`the generator's "${name}" is [${dimensions}]`, "Only its batch axis may be dynamic.");
    }
    const shape = [settings.batch, ...(rest as number[])];
    const stream = graph.takeStream();
    const isUniform = settings.noise === "uniform";
    return [name, isUniform ? uniform(graph, shape, -1, 1, stream, name) : normal(graph, shape, stream, name)];
  });
  return importModel(graph, model, { inputs: new Map(inputs), prefix: "generator." });
}

/** The loss of taking what logits judge for samples (1) or not (0). */
function judgement(graph: SourceGraph, logits: ValueId, target: 0 | 1, name: string): ValueId {
  const shape = graph.shape(logits);
  const words = new Uint32Array(wordCount(shape)).fill(fromNumber(target));
  const targets = constant(graph, `${name}.target`, { dtype: Dtype.float32, shape, words });
  return binaryCrossEntropy(graph, logits, targets, name);
}

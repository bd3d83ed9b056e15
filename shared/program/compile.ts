/** A forward model and the settings of a run → everything that is committed about the training. */

import { field } from "../layers/leaf.ts";
import { softmaxCrossEntropy } from "../layers/softmaxCrossEntropy.ts";
import { Dtype, wordCount } from "./descriptor.ts";
import { differentiate } from "./differentiate.ts";
import { ModelError, SettingError } from "./errors.ts";
import { SourceGraph } from "./graph.ts";
import { importModel, modelInputs } from "./import.ts";
import { lower } from "./lower.ts";
import { decodeModel } from "./onnx/decode.ts";
import { ADAMW_COLUMNS, adamw } from "./optimizer/adamw.ts";
import type { Program, SampleField, Tensor } from "./program.ts";
import { scheduleTable } from "./schedule.ts";
import type { OptimizerSettings, RateSettings } from "./task.ts";
import { requireWellFormed } from "./validate.ts";

export interface TrainingSettings {
  /** Bytes of a forward ONNX model: int32 or int64 tokens [batch, context] → float32 logits [batch, classes]. */
  readonly model: Uint8Array;
  /** Rows of a step's batch. */
  readonly batch: number;
  /** A sample is `context` tokens and the token that follows, each in [0, vocabulary). */
  readonly sample: { readonly context: number; readonly vocabulary: number };
  readonly loss: "softmaxCrossEntropy";
  readonly optimizer: OptimizerSettings;
  readonly rate: RateSettings;
  readonly steps: number;
}

export interface CompiledTraining {
  readonly program: Program;
  /** Parameters from the model's initializers, and zero moments; program order. */
  readonly initialState: readonly Tensor[];
  /** [steps, columns of the program]. */
  readonly schedule: Tensor;
}

/**
 * Compiles a training run.
 * @throws OnnxFormatError, ModelError (names the node), SettingError (names the setting), and MalformedProgramError when a number in
 * the model is so great that a step could overflow.
 */
export function compileTraining(settings: TrainingSettings): CompiledTraining {
  checkSettings(settings);
  const { context, vocabulary } = settings.sample;
  const tokens = { dtype: Dtype.int32, minimum: 0, maximum: vocabulary - 1 };
  const fields: SampleField[] = [
    { name: "input", offset: 0, width: context, ...tokens },
    { name: "target", offset: context, width: 1, ...tokens },
  ];
  const graph = new SourceGraph();
  const model = decodeModel(settings.model);
  const [input, ...otherInputs] = modelInputs(model);
  if (input === undefined || otherInputs.length > 0) {
    throw new ModelError(
      `it has ${modelInputs(model).length} inputs`,
      "Export a model whose one input are the tokens.",
    );
  }
  const inputs = new Map([[input.name, field(graph, fields[0]!, settings.batch)]]);
  const { outputs, parameters } = importModel(graph, model, { inputs });
  const [logits, ...otherOutputs] = outputs.values();
  if (logits === undefined || otherOutputs.length > 0) {
    throw new ModelError(`it has ${outputs.size} outputs`, "Export a model whose one output are the logits.");
  }
  const { dtype, shape } = graph.node(logits);
  if (dtype !== Dtype.float32) throw new ModelError("its output are not float32 logits", "Export the model again.");
  if (shape.length !== 2 || shape[0] !== settings.batch || shape[1]! < vocabulary) {
    throw new ModelError(
      `its output [${shape}] is not [${settings.batch}, at least ${vocabulary}]`,
      "It must give one logit for each class of the vocabulary.",
    );
  }
  const target = field(graph, fields[1]!, settings.batch);
  const loss = softmaxCrossEntropy(graph, logits, target, "loss");
  const gradients = differentiate(
    graph,
    loss,
    parameters.map(({ value }) => value),
  );
  const trained = parameters.flatMap((parameter, index) => {
    const gradient = gradients[index]!;
    return gradient === null ? [] : [{ ...parameter, gradient }];
  });
  if (trained.length === 0) throw new ModelError("it has no parameter", "Keep the weights as initializers.");
  const state = adamw(graph, trained, settings.optimizer);
  const program = lower({ graph, state, loss, logits, fields, scheduleColumns: ADAMW_COLUMNS });
  requireDistinctNames(program);
  requireWellFormed(program);
  const initialState = program.state.map(({ dtype, shape }, index): Tensor => {
    return { dtype, shape, words: trained[index]?.initial ?? new Uint32Array(wordCount(shape)) };
  });
  return { program, initialState, schedule: scheduleTable(settings.rate, settings.steps, settings.optimizer) };
}

/** State tensors are told apart by name in checkpoints. */
function requireDistinctNames({ state }: Program): void {
  const names = state.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ModelError(`"${twice}" is both a parameter and a moment of another`, "Rename the parameter.");
  }
}

function checkSettings({ batch, sample, optimizer, steps }: TrainingSettings): void {
  const whole = (setting: string, value: number, most: number) => {
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new SettingError(setting, `${value} is not a whole number from 1 to ${most}`);
    }
  };
  const within = (setting: string, value: number, least: number, below: number) => {
    if (!(value >= least && value < below)) throw new SettingError(setting, `${value} is not in [${least}, ${below})`);
  };
  whole("batch", batch, 2 ** 20);
  whole("steps", steps, 2 ** 24);
  whole("sample.context", sample.context, 2 ** 20);
  whole("sample.vocabulary", sample.vocabulary, 2 ** 20);
  within("optimizer.beta1", optimizer.beta1, 0, 1);
  within("optimizer.beta2", optimizer.beta2, 0, 1);
  within("optimizer.epsilon", optimizer.epsilon, 1e-12, 1);
  within("optimizer.weightDecay", optimizer.weightDecay, 0, 1);
}

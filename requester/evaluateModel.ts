/** A model file against the samples that its task holds out. */

import { parameterIndices } from "../shared/compile/optimizer/parameters.ts";
import { readSafetensors } from "../shared/data/safetensors.ts";
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import type { EngineOptions } from "../shared/engine/provider.ts";
import { TouchstoneError } from "../shared/errors.ts";
import type { Program, Tensor } from "../shared/program/program.ts";
import { type Baseline, baselineOf } from "./baseline.ts";
import { type Evaluation, TrainedModel } from "./evaluate.ts";
import { evaluateGenerator } from "./evaluateGenerator.ts";
import type { PreparedTask } from "./prepare.ts";

/** Held-out samples and a model that cannot be brought together. */
export class EvaluationError extends TouchstoneError {
  readonly code = "EVALUATION";
}

export interface ModelEvaluation extends Evaluation {
  /** What `loss` is: the training's own loss, or for a gan how far what it makes is from the samples (`energyDistance`). */
  readonly measure: "loss" | "energy distance";
  /** What counting, a mean or noise alone reaches on the same samples; null where there is no such thing. */
  readonly baseline: Baseline | null;
  /** Samples that fill no whole batch, and were not evaluated. */
  readonly leftOut: number;
}

export interface EvaluationOptions extends EngineOptions {
  /** Held-out samples at most. */
  readonly limit?: number | undefined;
}

/**
 * @param file a model's safetensors file, as `touchstone fetch` writes it; null evaluates the weights that training starts from.
 * @throws EvaluationError, SafetensorsError, EngineFailedError.
 */
export async function evaluateModel(
  prepared: PreparedTask,
  file: Uint8Array | null,
  { limit, ...engineOptions }: EvaluationOptions = {},
): Promise<ModelEvaluation> {
  const { job, initialState } = prepared.taskPackage;
  if (file !== null && prepared.task.training.kind === "inference") {
    throw new EvaluationError("An inference trains no model: what it gives are outputs.", {
      remedy: "Leave --model out.",
    });
  }
  const state = file === null ? initialState : withParameters(job.program, initialState, file);
  const { program, kept } = prepared.evaluation;
  const engine = await startOnnxRuntime(program, engineOptions);
  try {
    const trained = new TrainedModel(
      engine,
      program,
      kept.map((index) => state[index]!),
    );
    return await evaluateTrained(trained, prepared, limit);
  } finally {
    await engine.close();
  }
}

/**
 * What a trained model is worth on held-out samples; that of an inference, which is in its program, on the samples that it is for.
 * @param model of `evaluation` of the prepared task.
 * @param limit samples at most.
 * @throws EvaluationError, EngineFailedError.
 */
export async function evaluateTrained(
  model: TrainedModel,
  prepared: PreparedTask,
  limit = Number.POSITIVE_INFINITY,
): Promise<ModelEvaluation> {
  const { task, data } = prepared;
  const all = (task.training.kind === "inference" ? data.training : data.heldOut).length / data.layout.words;
  const evaluation = await evaluateWholeBatches(model, prepared, limit);
  return { ...evaluation, leftOut: Math.min(all, limit) - evaluation.samples };
}

async function evaluateWholeBatches(
  model: TrainedModel,
  { task: { training }, data, taskPackage, imitated }: PreparedTask,
  limit: number,
): Promise<Omit<ModelEvaluation, "leftOut">> {
  const { operators } = taskPackage.job.program;
  const samples = training.kind === "inference" ? data.training : data.heldOut;
  const batch = operators.find(({ operator }) => operator.family === "batch")?.operator.shape[0] ?? 1;
  const held = samples.length / data.layout.words;
  if (held === 0) {
    throw new EvaluationError("The task holds no samples out, so there is nothing to evaluate on.", {
      remedy: "Give the data section holdOutEvery, holdOutFiles or holdOutLast (docs/data.md).",
    });
  }
  if (held < batch) {
    throw new EvaluationError(`${held} samples are held out, a batch has ${batch}.`, {
      remedy: "Hold out more samples (docs/data.md), or train with smaller batches.",
    });
  }
  if (limit < batch) {
    throw new EvaluationError(`${limit} samples are fewer than a batch, which has ${batch}.`, {
      remedy: "Give --limit at least a batch.",
    });
  }
  if (imitated !== null) return await evaluateGenerator(model, { data }, imitated, limit);
  const result = await model.evaluate(samples, limit);
  const evaluated = samples.subarray(0, result.samples * data.layout.words);
  const loss = "loss" in training ? training.loss?.kind : undefined;
  return { ...result, measure: "loss", baseline: baselineOf(data, evaluated, loss) };
}

/** The state with the file's tensors as its parameters. @throws EvaluationError unless the file has exactly these. */
export function withParameters(program: Program, state: readonly Tensor[], file: Uint8Array): Tensor[] {
  const fail = (problem: string) =>
    new EvaluationError(`The model's file does not fit the task: ${problem}.`, {
      remedy: "Give the file that `touchstone fetch` wrote for a task of this model.",
    });
  const tensors = new Map(readSafetensors(file).tensors.map((tensor) => [tensor.name, tensor]));
  const result = [...state];
  for (const index of parameterIndices(program.state)) {
    const { name, dtype, shape } = program.state[index]!;
    const found = tensors.get(name);
    if (found === undefined) throw fail(`it lacks ${name}`);
    if (found.dtype !== dtype || `${found.shape}` !== `${shape}`) {
      throw fail(`${name} is [${found.shape}] instead of [${shape}], or of another dtype`);
    }
    result[index] = { dtype, shape, words: found.words };
    tensors.delete(name);
  }
  for (const name of tensors.keys()) throw fail(`the model has no ${name}`);
  return result;
}

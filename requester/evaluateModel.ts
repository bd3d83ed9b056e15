/** A model file against the samples that its task holds out. */
import { readSafetensors } from "../shared/data/safetensors.ts";
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import type { EngineOptions } from "../shared/engine/provider.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { parameterIndices } from "../shared/program/optimizer/parameters.ts";
import type { Program, Tensor } from "../shared/program/program.ts";
import { type Baseline, baselineOf } from "./baseline.ts";
import { type Evaluation, TrainedModel } from "./evaluate.ts";
import type { PreparedTask } from "./prepare.ts";

/** Held-out samples and a model that cannot be brought together. */
export class EvaluationError extends TouchstoneError {
  readonly code = "EVALUATION";
}

export interface ModelEvaluation extends Evaluation {
  /** What counting alone reaches on the same samples; null where nothing can be counted. */
  readonly baseline: Baseline | null;
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
  { data, taskPackage, evaluation }: PreparedTask,
  file: Uint8Array | null,
  { limit, ...engineOptions }: EvaluationOptions = {},
): Promise<ModelEvaluation> {
  const { program } = taskPackage.job;
  const state = file === null ? taskPackage.initialState : withParameters(program, taskPackage.initialState, file);
  const batch = program.operators.find(({ operator }) => operator.family === "batch")?.operator.shape[0] ?? 1;
  const count = Math.min(data.heldOut.length / data.layout.words, limit ?? Number.POSITIVE_INFINITY);
  if (count < batch) {
    throw new EvaluationError(`${count} samples are held out, a batch has ${batch}.`, {
      remedy: "Hold out more samples (docs/data.md), or train with smaller batches.",
    });
  }
  const engine = await startOnnxRuntime(evaluation.program, engineOptions);
  try {
    const model = new TrainedModel(
      engine,
      evaluation.program,
      evaluation.kept.map((index) => state[index]!),
    );
    const result = await model.evaluate(data.heldOut, limit);
    const evaluated = data.heldOut.subarray(0, result.samples * data.layout.words);
    return { ...result, baseline: baselineOf(data, evaluated) };
  } finally {
    await engine.close();
  }
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

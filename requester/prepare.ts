/** From a task file to everything that a task binds and publishes. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type CompiledEvaluation,
  compileEvaluation,
  compileTraining,
  type TrainingSettings,
} from "../shared/compile/compile.ts";
import { imitatedField } from "../shared/compile/gan.ts";
import { buildDataset } from "../shared/data/buildDataset.ts";
import type { Dataset } from "../shared/data/dataset.ts";
import { dataFilesIn } from "../shared/data/files.ts";
import type { DataFile } from "../shared/data/sourceArray.ts";
import type { TaskPackage } from "../shared/data/taskPackage.ts";
import { withWeights } from "../shared/data/weights.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { fileProblem } from "../shared/fileProblem.ts";
import type { Job } from "../shared/job/job.ts";
import { decodeModel } from "../shared/onnx/decode.ts";
import { encodeModel } from "../shared/onnx/encode.ts";
import { ModelError } from "../shared/program/errors.ts";
import type { Program, SampleField } from "../shared/program/program.ts";
import { parseTaskFile, type TaskFile, TaskFileError } from "../shared/task/task.ts";
import { forwardProgram } from "./forwardProgram.ts";
import { modelWarnings } from "./modelWarnings.ts";
import { readModelFile } from "./readModel.ts";

export interface PreparedTask {
  readonly task: TaskFile;
  readonly taskPackage: TaskPackage;
  /** The samples with what was held out. */
  readonly data: Dataset;
  /** What evaluates a state of the run. */
  readonly evaluation: CompiledEvaluation;
  /** What about the model, beside the loss and the data, is probably not meant. */
  readonly warnings: readonly string[];
  /** Of a gan: the field that its generator imitates. */
  readonly imitated: SampleField | null;
}

/** @throws TaskFileError, and as `buildDataset`. */
export async function prepareData(file: string): Promise<Pick<PreparedTask, "task" | "data">> {
  const task = parseTaskFile(new TextDecoder().decode(await readBytes(file, "$")));
  return { task, data: await buildDataset(task.data, dataFilesIn(path.dirname(path.resolve(file)))) };
}

/**
 * Reads a task file and what it points to, and compiles the training.
 * @throws as `prepareData`, DataFileError for initial weights that are not the model's, and the compiler's errors.
 */
export async function prepareTask(file: string): Promise<PreparedTask> {
  const { task, data } = await prepareData(file);
  const { training } = task;
  const { text, classes, layout } = data;
  const readModel = (name: string, key: string) =>
    readOrSay(path.resolve(path.dirname(file), name), key, readModelFile);
  const model = await readModel(task.model, "$.model");
  const initial = training.kind === "gan" ? undefined : training.initial;
  const weights =
    initial === undefined
      ? null
      : { name: initial, bytes: await readBytes(path.resolve(path.dirname(file), initial), "$.training.initial") };
  const files = { model: weights === null ? model : replaceWeights(model, weights), fields: layout.fields };
  const settings: TrainingSettings =
    training.kind === "gan"
      ? {
          ...training,
          ...files,
          discriminatorModel: await readModel(training.discriminator.model, "$.training.discriminator.model"),
        }
      : { ...training, ...files };
  const { program, initialState, schedule } = compileTraining(settings);
  const { seed, steps, interval } = training;
  const job: Job = { program, samples: data.training, schedule: schedule.words, seed, steps, interval };
  const taskPackage: TaskPackage = {
    name: task.name,
    job,
    initialState,
    ...(text === null ? {} : { tokenizer: text.tokenizer.spec }),
    ...(Object.keys(classes).length === 0 ? {} : { classes }),
  };
  const evaluation = settings.kind === "train" ? compileEvaluation(settings, program) : evaluationWithin(program);
  const warnings = modelWarnings(settings, program, data);
  const name = settings.kind === "gan" ? imitatedField(settings.discriminatorModel, layout.fields) : null;
  const imitated = layout.fields.find((field) => field.name === name) ?? null;
  return { task, data, taskPackage, evaluation, warnings, imitated };
}

/** Of a step that is no training of one model: what its logits and its loss depend on. */
function evaluationWithin(program: Program): CompiledEvaluation {
  return program.logits === null ? { program, kept: [...program.state.keys()] } : forwardProgram(program);
}

/** @throws ModelError, DataFileError when the weights are not this model's. */
function replaceWeights(model: Uint8Array, weights: DataFile): Uint8Array {
  const replaced = withWeights(decodeModel(model), weights);
  try {
    return encodeModel(replaced);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError(`it cannot be written with other weights (${error.message})`, "Export it with these weights.");
  }
}

const readBytes = (file: string, key: string): Promise<Uint8Array> => readOrSay(file, key, readFile);

async function readOrSay(file: string, key: string, read: (file: string) => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read(file);
  } catch (cause) {
    if (cause instanceof TouchstoneError) throw cause;
    throw new TaskFileError(key, `${file} cannot be read: ${fileProblem(cause)}`, cause);
  }
}

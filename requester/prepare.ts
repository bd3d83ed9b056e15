/** From a task file to everything that a task binds and publishes. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { buildDataset, type Dataset } from "../shared/data/dataset.ts";
import { dataFilesIn } from "../shared/data/files.ts";
import type { TaskPackage } from "../shared/data/taskPackage.ts";
import { compileTraining } from "../shared/program/compile.ts";
import type { Job } from "../shared/program/job.ts";
import { parseTaskFile, type TaskFile, TaskFileError } from "../shared/program/task.ts";

export interface PreparedTask {
  readonly task: TaskFile;
  readonly taskPackage: TaskPackage;
  /** The samples with what was held out. */
  readonly data: Dataset;
}

/** @throws TaskFileError, and as `buildDataset`. */
export async function prepareData(file: string): Promise<Pick<PreparedTask, "task" | "data">> {
  const task = parseTaskFile(new TextDecoder().decode(await readBytes(file, "$")));
  return { task, data: await buildDataset(task.data, dataFilesIn(path.dirname(path.resolve(file)))) };
}

/**
 * Reads a task file and what it points to, and compiles the training.
 * @throws as `prepareData`, and the compiler's errors.
 */
export async function prepareTask(file: string): Promise<PreparedTask> {
  const { task, data } = await prepareData(file);
  const { training, name } = task;
  const { text, classes, layout } = data;
  const readModel = (name: string, key: string) => readBytes(path.resolve(path.dirname(file), name), key);
  const files = { model: await readModel(task.model, "$.model"), fields: layout.fields };
  const { program, initialState, schedule } = compileTraining(
    training.kind === "gan"
      ? {
          ...training,
          ...files,
          discriminatorModel: await readModel(training.discriminator.model, "$.training.discriminator.model"),
        }
      : { ...training, ...files },
  );
  const { seed, steps, interval } = training;
  const job: Job = { program, samples: data.training, schedule: schedule.words, seed, steps, interval };
  const taskPackage: TaskPackage = {
    name,
    job,
    initialState,
    ...(text === null ? {} : { tokenizer: text.tokenizer.spec }),
    ...(Object.keys(classes).length === 0 ? {} : { classes }),
  };
  return { task, data, taskPackage };
}

async function readBytes(file: string, key: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TaskFileError(key, `${file} cannot be read (${(cause as Error).message})`, cause);
  }
}

/** From a task file to everything that a task binds and publishes. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { TaskPackage } from "../shared/data/taskPackage.ts";
import { type TextDataset, textDataset, tokenFields } from "../shared/data/text.ts";
import { compileTraining } from "../shared/program/compile.ts";
import type { Job } from "../shared/program/job.ts";
import { parseTaskFile, type TaskFile, TaskFileError } from "../shared/program/task.ts";

export interface PreparedTask {
  readonly task: TaskFile;
  readonly taskPackage: TaskPackage;
  /** The text behind the samples, with what was held out. */
  readonly text: TextDataset;
}

/**
 * Reads a task file and what it points to, and compiles the training.
 * @throws TaskFileError, TextDatasetError, and the compiler's errors.
 */
export async function prepareTask(file: string): Promise<PreparedTask> {
  const folder = path.dirname(path.resolve(file));
  const task = parseTaskFile(await read(file, "$"));
  const { data, training, name } = task;
  const paths = globSync(data.files, { cwd: folder }).sort();
  if (paths.length === 0) throw new TaskFileError("$.data.files", `no file matches ${data.files} in ${folder}`);
  const texts = await Promise.all(paths.map((found) => read(path.resolve(folder, found), "$.data.files")));
  const text = textDataset(texts, data);
  const { program, initialState, schedule } = compileTraining({
    ...training,
    model: await readBytes(path.resolve(folder, task.model), "$.model"),
    fields: tokenFields(data.context, text.vocabulary.length),
  });
  const { seed, steps, interval } = training;
  const job: Job = { program, samples: text.samples, schedule: schedule.words, seed, steps, interval };
  return { task, text, taskPackage: { name, job, initialState, vocabulary: text.vocabulary } };
}

async function read(file: string, key: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(file, key));
}

async function readBytes(file: string, key: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TaskFileError(key, `${file} cannot be read (${(cause as Error).message})`, cause);
  }
}

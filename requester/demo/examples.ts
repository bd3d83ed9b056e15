/** The examples that the demo can play: folders of `examples/` with a task file, and perhaps a script that makes their data. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TouchstoneError } from "../../shared/errors.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDER = "examples";
const TASK_FILE = "task.json";
/** A script beside the task file that writes the files which its data section names. */
const DATA_SCRIPT = "data.ts";
/** Written beside the data when all of them are there. */
const DATA_STAMP = "data/.made";

export const DEFAULT_EXAMPLE = "solidity-mlp";

/** The cheat that shows what is at stake in an example's kind of model. Of others, the seed draws one. */
const TYPICAL_CHEATS: Readonly<Record<string, string>> = {
  gan: "wrong-random",
  gru: "wrong-gate",
  inference: "wrong-output",
  llama: "wrong-constant",
  lora: "stale-adapter",
  lstm: "wrong-gate",
  resnet: "stale-statistics",
  step: "wrong-rate",
};

export class UnknownExampleError extends TouchstoneError {
  readonly code = "UNKNOWN_EXAMPLE";
  constructor(name: string, names: readonly string[]) {
    super(`There is no example "${name}".`, { remedy: `The examples are ${names.join(", ")}.` });
  }
}

export class ExampleDataError extends TouchstoneError {
  readonly code = "EXAMPLE_DATA";
}

/** Names of the examples, in the order of the alphabet. */
export function listExamples(): string[] {
  return readdirSync(path.join(ROOT, FOLDER))
    .filter((name) => existsSync(path.join(ROOT, FOLDER, name, TASK_FILE)))
    .sort();
}

/** The cheat that the demo plays with an example where none is asked for; undefined where the seed is to draw one. */
export function typicalCheat(example: string): string | undefined {
  return TYPICAL_CHEATS[example];
}

/**
 * The example's task file, relative to the repository, with the data that it names in place.
 * @throws UnknownExampleError, ExampleDataError.
 */
export function prepareExample(name: string): string {
  const names = listExamples();
  if (!names.includes(name)) throw new UnknownExampleError(name, names);
  makeData(path.join(ROOT, FOLDER, name));
  return path.join(FOLDER, name, TASK_FILE);
}

/** Runs an example's data script, unless all that it could depend on is older than what it made. */
function makeData(folder: string): void {
  const script = path.join(folder, DATA_SCRIPT);
  const stamp = path.join(folder, DATA_STAMP);
  if (!existsSync(script) || (existsSync(stamp) && statSync(stamp).mtimeMs > newestScript())) return;
  const { status, stderr } = spawnSync(process.execPath, [script], { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new ExampleDataError(`${script} did not make its data.\n${stderr}`.trimEnd());
  writeFileSync(stamp, "");
}

/** When the last of the examples' scripts was changed: they borrow from each other. */
function newestScript(): number {
  const scripts = readdirSync(path.join(ROOT, FOLDER), { recursive: true, encoding: "utf8" });
  return Math.max(
    ...scripts.filter((file) => file.endsWith(".ts")).map((file) => statSync(path.join(ROOT, FOLDER, file)).mtimeMs),
  );
}

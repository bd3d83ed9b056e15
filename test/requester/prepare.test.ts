import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { prepareTask } from "../../requester/prepare.ts";
import { DataFilesError } from "../../shared/data/files.ts";
import { TextDatasetError } from "../../shared/data/text.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import { parameterIndices } from "../../shared/program/optimizer/parameters.ts";
import { TaskFileError } from "../../shared/program/task.ts";
import { validate } from "../../shared/program/validate.ts";

const EXAMPLE = path.resolve("examples/solidity-mlp");

describe("prepareTask", () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);

  /** Writes the example's task file with some of its values changed, beside its model. */
  async function writeTask(change: (task: Record<string, Record<string, unknown>>) => void): Promise<string> {
    const task = JSON.parse(await readFile(path.join(EXAMPLE, "task.json"), "utf8"));
    task.data.files = path.resolve(EXAMPLE, task.data.files);
    change(task);
    await writeFile(file("task.json"), JSON.stringify(task));
    return file("task.json");
  }

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
  });
  beforeEach(() => copyFile(path.join(EXAMPLE, "forward.onnx"), file("forward.onnx")));
  after(() => rm(folder, { recursive: true }));

  it("compiles the example into a well-formed program of at least 100,000 parameters", async () => {
    const { taskPackage, task } = await prepareTask(path.join(EXAMPLE, "task.json"));
    const { program } = taskPackage.job;
    assert.deepEqual(validate(program), []);
    const parameters = parameterIndices(program.state).reduce(
      (sum, index) => sum + taskPackage.initialState[index]!.words.length,
      0,
    );
    assert.ok(parameters >= 100_000, `${parameters} parameters`);
    assert.ok(task.data.kind === "text" && task.data.context >= 16);
    assert.ok(task.training.steps / task.training.interval >= 4);
  });

  it("gives the same commitments again", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => prepareTask(path.join(EXAMPLE, "task.json"))));
    assert.deepEqual(first, second);
  });

  it("names a file that is absent and a glob that matches nothing", async () => {
    await assert.rejects(prepareTask(file("absent.json")), TaskFileError);
    const noModel = await writeTask((task) => Object.assign(task, { model: "absent.onnx" }));
    await assert.rejects(prepareTask(noModel), (error) => error instanceof TaskFileError && error.path === "$.model");
    const noText = await writeTask((task) => Object.assign(task.data!, { files: "*.absent" }));
    await assert.rejects(
      prepareTask(noText),
      (error) => error instanceof DataFilesError && error.path === "$.data.files",
    );
  });

  it("refuses a truncated model, a model of another context, and texts that are too short", async () => {
    const otherContext = await writeTask((task) => Object.assign(task.data!, { context: 17 }));
    await assert.rejects(prepareTask(otherContext), TouchstoneError);
    await writeFile(file("short.txt"), "abc");
    const shortText = await writeTask((task) => Object.assign(task.data!, { files: "short.txt" }));
    await assert.rejects(prepareTask(shortText), TextDatasetError);
    await truncate(file("forward.onnx"), 1000);
    await assert.rejects(prepareTask(await writeTask(() => {})), TouchstoneError);
  });
});

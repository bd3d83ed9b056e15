import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { describeData } from "../../requester/describeData.ts";
import { OutputFileError, requireFolderOf, writeOutput } from "../../requester/outputFile.ts";
import { prepareData } from "../../requester/prepare.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../fixtures/data");
const run = promisify(execFile);

describe("touchstone data", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** The example's task file with other data. */
  async function writeTask(data: object): Promise<string> {
    const task = JSON.parse(await readFile("examples/solidity-mlp/task.json", "utf8"));
    const file = path.join(folder, "task.json");
    await writeFile(file, JSON.stringify({ ...task, data }));
    return file;
  }

  const flowers = {
    kind: "csv",
    files: `${FIXTURES}/flowers.csv`,
    holdOutEvery: 3,
    fields: {
      input: { dtype: "float32", columns: ["length", "width, in cm"] },
      target: { dtype: "int32", columns: "species", classes: ["Iris setosa", 'Iris "major", größer', "two\r\nlines"] },
    },
  };

  it("tells fields, bounds, counts, classes and samples of a table, without a model", async () => {
    const { task, data } = await prepareData(await writeTask(flowers));
    assert.deepEqual(describeData(task.data.kind, data), {
      kind: "csv",
      fields: [
        { name: "input", dtype: "float32", width: 2, minimum: Math.fround(-0.35), maximum: 100 },
        { name: "target", dtype: "int32", width: 1, minimum: 0, maximum: 2, classes: flowers.fields.target.classes },
      ],
      training: 2,
      heldOut: 1,
      bytes: 208,
      vocabulary: null,
      warnings: ["no training sample has the target two\r\nlines"],
      examples: [
        { input: [Math.fround(5.1), Math.fround(-0.35)], target: ["Iris setosa"] },
        { input: [4, 0.5], target: ['Iris "major", größer'] },
      ],
    });
  });

  it("is a command, for people and for programs", async () => {
    await writeFile(path.join(folder, "a.txt"), "to be or not to be");
    await writeFile(path.join(folder, "b.txt"), "that is the question");
    const text = { kind: "text", files: "*.txt", context: 5, stride: 5, holdOutEvery: 2, targets: "every" };
    const file = await writeTask(text);
    const { stdout } = await run(process.execPath, ["requester/cli.ts", "data", file, "--json"]);
    const { event, vocabulary, examples, training, heldOut, warnings } = JSON.parse(stdout);
    assert.deepEqual([event, vocabulary, training, heldOut, warnings], ["data", 8, 3, 3, []]);
    assert.deepEqual(examples[0], { input: "to be", target: "o be " });
    const { stdout: told } = await run(process.execPath, ["requester/cli.ts", "data", file]);
    assert.match(told, /3 training samples, 3 held out/);
    assert.match(told, /vocabulary: 8 tokens/);
    assert.match(told, /sample 1: input " or n"; target "or no"/);
  });

  it("tells a wrong file as one typed error", async () => {
    const file = await writeTask({ ...flowers, fields: { input: { dtype: "float32", columns: "species" } } });
    const failing = run(process.execPath, ["requester/cli.ts", "data", file, "--json"]);
    await assert.rejects(failing, ({ code, stdout }: { code: number; stdout: string }) => {
      assert.equal(code, 1);
      assert.equal(JSON.parse(stdout).error.code, "DATA_FILE");
      assert.match(stdout, /flowers\.csv, line 2/);
      return true;
    });
  });
});

describe("files that commands write", () => {
  it("are refused by a typed error where they cannot be", async () => {
    const absent = path.join(tmpdir(), "touchstone-absent", "model.safetensors");
    await assert.rejects(requireFolderOf(absent), OutputFileError);
    await assert.rejects(writeOutput(absent, new Uint8Array(1)), OutputFileError);
    await assert.rejects(requireFolderOf(path.join(import.meta.filename, "model.safetensors")), OutputFileError);
    await assert.rejects(writeOutput(import.meta.dirname, new Uint8Array(1)), OutputFileError);
    await requireFolderOf(import.meta.filename);
  });

  it("are asked for before anything is fetched", async () => {
    const args = ["requester/cli.ts", "fetch", `0x${"11".repeat(32)}`, "--json", "--out", "absent/model.safetensors"];
    const where = ["--rpc", "http://127.0.0.1:9", "--market", `0x${"22".repeat(20)}`, "--store", tmpdir()];
    await assert.rejects(run(process.execPath, [...args, ...where]), ({ stdout }: { stdout: string }) => {
      return JSON.parse(stdout).error.code === "OUTPUT_FILE";
    });
  });
});

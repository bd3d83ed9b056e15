import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { before, describe, it } from "node:test";
import { pretrain } from "../../examples/lora/pretrain.ts";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";
import { encodeCheckpoint } from "../../shared/data/checkpoint.ts";
import { getTaskPackage, putTaskPackage } from "../../shared/data/taskPackage.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { contentIdOf } from "../../shared/store/contentId.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";
import { numbers } from "../helpers/compile.ts";

const FOLDER = path.resolve("examples/lora");

describe("examples/lora", () => {
  let prepared: PreparedTask;
  before(async () => {
    prepared = await prepareTask(path.join(FOLDER, "task.json"));
  });

  it("keeps the base in constants and the adapters alone in the state", () => {
    const { job, initialState } = prepared.taskPackage;
    const { state, constants } = job.program;
    const adapters = ["fc1", "fc2", "fc3"].flatMap((layer) => ["A", "B"].map((part) => `${layer}.lora_${part}.weight`));
    assert.deepEqual(
      state.map(({ name }) => name),
      [...adapters, ...adapters.map((name) => `${name}.m`), ...adapters.map((name) => `${name}.v`)],
    );
    for (const [index, name] of adapters.entries())
      assert.equal(
        initialState[index]!.words.every((word) => word === 0),
        name.includes("lora_B"),
        name,
      );
    const frozen = constants.reduce((sum, { words }) => sum + words.length, 0);
    assert.ok(frozen > 60_000, `${frozen} words of constants`);
    assert.ok(encodeCheckpoint(state, initialState).length < 100_000);
    requireWellFormedJob(job, initialState);
  });

  it("publishes the base beside the program's document", async () => {
    const { taskPackage } = prepared;
    const files = new Map<string, Uint8Array>();
    const store: Store = {
      location: "memory",
      put: async (bytes) => {
        const id = contentIdOf(bytes);
        files.set(id, bytes);
        return id;
      },
      get: async (id: ContentId) => files.get(id)!,
      has: async (id: ContentId) => files.has(id),
    };
    const manifestId = await putTaskPackage(store, taskPackage);
    const { program, constants } = JSON.parse(new TextDecoder().decode(files.get(manifestId)));
    assert.ok(files.get(constants)!.length > 4 * 60_000);
    assert.ok(files.get(program)!.length < 100_000);
    const { job, initialState } = taskPackage;
    const read = await getTaskPackage(store, manifestId, commitTraining(job, initialState));
    assert.deepEqual(read.job.program, job.program);
  });

  it("learns from the first steps on", async () => {
    const { job, initialState } = prepared.taskPackage;
    const engine = new ReferenceEngine(job.program);
    const losses: number[] = [];
    let state = initialState;
    for (let step = 0; step < 40; step++) {
      const result = await engine.step(stepInputs(job, step, state));
      state = result.state;
      losses.push(result.loss);
    }
    const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
    assert.ok(mean(losses.slice(-8)) < mean(losses.slice(0, 8)) - 0.2, `${losses}`);
    assert.ok(numbers(state[1]!).some((value) => value !== 0));
  });

  if (process.env.TOUCHSTONE_DEEP === "1") {
    it("has the base that pretrain.ts makes", async () => {
      assert.deepEqual(await pretrain(), new Uint8Array(await readFile(path.join(FOLDER, "base.onnx"))));
    });
  }
});

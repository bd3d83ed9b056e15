import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTaskFile, TaskFileError } from "../../shared/program/task.ts";

const valid = {
  version: 1,
  name: "tiny",
  model: "model.onnx",
  data: { kind: "text", files: "*.txt", context: 8, stride: 1, minimumCount: 1, holdOutEvery: 10 },
  training: {
    steps: 10,
    interval: 5,
    batch: 4,
    seed: "18446744073709551615",
    loss: "softmaxCrossEntropy",
    optimizer: { kind: "adamw" },
    rate: { kind: "constant", peak: 0.01 },
  },
  market: {
    price: "100",
    solverBond: "200",
    challengerBond: "20",
    verifierFee: "1",
    draws: 2,
    sampleRate: 1,
    checkpointTime: 60,
    replayTime: 10,
    beaconDelay: 1,
    sealWindow: 60,
    revealWindow: 60,
    challengeWindow: 300,
    clock: 60,
    answerGrace: 10,
    choiceGrace: 10,
  },
};

/** The valid file with one value replaced (or removed, for undefined). */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(valid) as Record<string, unknown>;
  const keys = path.split(".");
  let parent = copy;
  for (const key of keys.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
  parent[keys.at(-1)!] = value;
  return JSON.stringify(copy);
}

describe("parseTaskFile", () => {
  it("fills in the optimizer's and the schedule's defaults and reads big numbers exactly", () => {
    const task = parseTaskFile(JSON.stringify(valid));
    assert.ok(task.training.kind === "train");
    assert.equal(task.training.seed, 2n ** 64n - 1n);
    assert.equal(task.market.price, 100n);
    assert.deepEqual(task.training.optimizer, {
      kind: "adamw",
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
    });
    assert.deepEqual(task.training.loss, { kind: "softmaxCrossEntropy" });
    assert.equal(task.training.rate.warmup, 0);
  });

  for (const [path, value] of [
    ["version", 2],
    ["name", "../x"],
    ["model", undefined],
    ["data.kind", "oracle"],
    ["data.holdOutEvery", 1],
    ["training.steps", 0],
    ["training.interval", 11],
    ["training.batch", 1.5],
    ["training.seed", -1],
    ["training.optimizer.beta1", 1],
    ["training.rate.peak", 0],
    ["training.rate.warmup", 11],
    ["market.price", 100],
    ["market.price", "-1"],
    ["market.sampleRate", 1.1],
    ["market.clock", -1],
    ["market.unknown", 1],
  ] as const) {
    it(`names ${path} when it is ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => parseTaskFile(changed(path, value)),
        (error) =>
          error instanceof TaskFileError && `$.${path}`.startsWith(error.path) && error.message.includes(error.path),
      );
    });
  }

  it("says where the JSON breaks off", () => {
    assert.throws(() => parseTaskFile(JSON.stringify(valid).slice(0, 40)), TaskFileError);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTaskFile, TaskFileError } from "../../shared/task/task.ts";

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

  for (const [path, value, message] of [
    ["training.optimiser", {}, '$.training.optimiser: there is no key "optimiser" here; the nearest is "optimizer"'],
    ["training.rate.wramup", 3, '$.training.rate.wramup: there is no key "wramup" here; the nearest is "warmup"'],
    [
      "training.optimizer.Beta1",
      0.5,
      '$.training.optimizer.Beta1: there is no key "Beta1" here; the nearest is "beta1"',
    ],
    [
      "data",
      { kind: "csv", files: "x", fields: { input: { dtype: "int32", column: "y" } } },
      '$.data.fields.input.column: there is no key "column" here; the nearest is "columns"',
    ],
    ["trainin", {}, '$.trainin: there is no key "trainin" here; the nearest is "training"'],
    ["market.zebra", 1, '$.market.zebra: there is no key "zebra" here; there are "price", "solverBond", '],
    [
      "training.optimizer.kind",
      "adamx",
      '$.training.optimizer.kind: expected one of "sgd", "adam", "adamw", "lion", got "adamx"; the nearest is "adam"',
    ],
    ["training.loss", "softmax", '$.training.loss.kind: expected one of "softmaxCrossEntropy", '],
    [
      "training.order",
      "shuffled",
      '$.training.order: expected one of "replacement", "permutation", "sequential", got "shuffled"',
    ],
    ["training.steps", "10", '$.training.steps: expected a number, got "10"'],
    ["training.steps", 0, "$.training.steps: expected a number at least 1, got 0"],
    ["training.batch", 1.5, "$.training.batch: expected a whole number, got 1.5"],
    ["training.steps", undefined, "$.training.steps: it is missing: expected a number"],
    ["training.optimizer", {}, '$.training.optimizer.kind: it is missing: expected one of "sgd"'],
    ["training.seed", true, "$.training.seed: expected a number, or text in quotes, got true"],
    ["training.seed", "x", '$.training.seed: must be a whole number of up to 64 bits, got "x"'],
    ["training.train", [], "$.training.train: expected at least 1 entry, got []"],
    ["training.train", ["fc*", 3], "$.training.train[1]: expected text in quotes, got 3"],
    ["training.clip", {}, "$.training.clip: must have either value or norm, got {}"],
    ["market.price", 100, "$.market.price: expected text in quotes, got 100"],
    [
      "market.price",
      "-1",
      '$.market.price: must be a whole number of the token\'s smallest unit, as a string, got "-1"',
    ],
    ["version", 2, "$.version: expected 1, got 2"],
    [
      "data",
      { kind: "csv", files: "x", fields: { "1a": { dtype: "int32" } } },
      "$.data.fields.1a: the name must begin with",
    ],
    ["data", { kind: "csv", files: "x", fields: {} }, "$.data.fields: must name at least one field, got {}"],
  ] as const) {
    it(`says of ${path} ${JSON.stringify(value)}: ${message}`, () => {
      assert.throws(
        () => parseTaskFile(changed(path, value)),
        (error: Error) => {
          assert.ok(error.message.startsWith(`The task file is wrong at ${message}`), error.message);
          return error instanceof TaskFileError;
        },
      );
    });
  }

  it("names a misspelt key before what is missing because of it", () => {
    const { optimizer, ...training } = valid.training;
    assert.throws(
      () => parseTaskFile(JSON.stringify({ ...valid, training: { ...training, optimser: optimizer } })),
      /at \$\.training\.optimser: there is no key "optimser" here; the nearest is "optimizer"/,
    );
  });

  it("names a key that is there twice", () => {
    const fields =
      '"fields": { "input": { "dtype": "int32" }, "target": { "dtype": "int32" }, "in\\u0070ut": { "dtype": "int32" } }';
    const data = `{ "kind": "csv", "files": "a,\\"b:{", ${fields} }`;
    const text = JSON.stringify({ ...valid, data: "DATA" }).replace('"DATA"', () => data);
    assert.throws(
      () => parseTaskFile(text),
      (error) => error instanceof TaskFileError && error.path === "$.data.fields.input" && /twice/.test(error.message),
    );
  });

  it("says where the JSON breaks off", () => {
    assert.throws(() => parseTaskFile(JSON.stringify(valid).slice(0, 40)), TaskFileError);
  });
});

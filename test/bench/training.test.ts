import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { type Contender, race } from "../../bench/contender.ts";
import type { TrainingResult } from "../../bench/training.ts";

const MAIN = path.join(import.meta.dirname, "../../bench/main.ts");

function bench(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...options], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test("training measures everybody on the same work: the losses agree", async () => {
  const deep = process.env.TOUCHSTONE_DEEP === "1";
  const names = deep ? ["mlp", "cnn", "gpt", "gpt-wide"] : ["mlp"];
  const { code, stdout, stderr } = await bench("training", "--json", "--rounds", "1", "--models", names.join());
  assert.equal(code, 0, stderr);
  const { models } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as { models: TrainingResult[] };
  assert.deepEqual(
    models.map(({ name }) => name),
    names,
  );
  assert.deepEqual([models[0]!.threads, models[0]!.batch, models[0]!.interval, models[0]!.steps], [1, 64, 80, 80]);
  for (const model of models) {
    for (const time of [model.touchstoneMs, model.plainMs, model.commitmentMs, model.peakMiB, model.traceRatio]) {
      assert.ok(time > 0);
    }
    for (const part of ["dot", "quantise", "map", "reduce", "move"] as const) assert.ok(model.breakdown[part] >= 0);
    assert.ok(model.breakdown.dot > 0 && model.breakdown.map > 0);
    assert.equal(model.ratioPlain, model.touchstoneMs / model.plainMs);
    for (const share of [model.commitmentShare, model.commitmentShareInTurns]) assert.ok(share >= 0 && share < 1);
    const { touchstone, plain, pytorch } = model.losses;
    // Different roundings, the same arithmetic: a forgotten bias or decay would show at once.
    assert.ok(Math.abs(plain - touchstone) < 2e-3 * touchstone, `${plain} beside ${touchstone}`);
    assert.equal(pytorch === null, model.pytorchMs === null);
    assert.equal(pytorch === null, model.ratioPytorch === null);
    if (pytorch !== null)
      assert.ok(Math.abs(pytorch - touchstone) < 2e-3 * touchstone, `${pytorch} beside ${touchstone}`);
  }
});

test("wrong usage exits with 2, help with 0", async () => {
  for (const options of [
    ["nothing"],
    ["training", "--rounds", "0"],
    ["training", "--threads", "1,x"],
    ["training", "--models", "mlp,resnet"],
    ["training", "--what"],
  ]) {
    const { code, stderr } = await bench(...options);
    assert.equal(code, 2, options.join(" "));
    assert.match(stderr, /^error: /);
  }
  for (const options of [["--help"], ["training", "--help"]]) {
    const { code, stdout } = await bench(...options);
    assert.equal(code, 0);
    assert.match(stdout, /training/);
  }
});

test("a race takes turns, leaves out the first round and keeps the last loss", async () => {
  const order: string[] = [];
  const contender = (name: string): Contender => ({
    train: async (first, count) => {
      order.push(`${name} ${first}`);
      return Array.from({ length: count }, (_, i) => 100 - first - i);
    },
    close: async () => undefined,
  });
  const results = await race([contender("a"), contender("b")], 2, 5);
  assert.deepEqual(order, ["a 0", "b 0", "a 5", "b 5", "a 10", "b 10"]);
  assert.deepEqual(
    results.map(({ loss }) => loss),
    [86, 86],
  );
});

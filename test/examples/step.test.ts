import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterIndices } from "../../shared/compile/optimizer/parameters.ts";
import { numbers } from "../helpers/compile.ts";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const prepared = await exampleTask("step");

test("the average of the weights reads digits that it has not seen", async (t) => {
  const { job } = prepared.taskPackage;
  const { state: layout } = job.program;
  assert.deepEqual(
    parameterIndices(layout).map((index) => layout[index]!.name),
    ["fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias"].map((name) => `average_${name}`),
  );
  const { trained, untrained, state } = await trainedFor(prepared, job.steps, 480);
  t.diagnostic(`${trained.accuracy} of the digits are read`);
  assert.ok(untrained.accuracy! < 0.4 && trained.accuracy! > 0.8, `${untrained.accuracy}, ${trained.accuracy}`);
  assert.ok(trained.loss < trained.baseline!.loss / 2);
  // Weights move by whole rates, their average less.
  const of = (name: string) => numbers(state[layout.findIndex((tensor) => tensor.name === name)]!);
  assert.notDeepEqual(of("fc1_weight"), of("average_fc1_weight"));
});

test("twice the rate of the schedule convicts, at the rate", async () => {
  assert.match(await convictedAt("step", prepared, 1n), /rate/);
});

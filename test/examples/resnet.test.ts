import assert from "node:assert/strict";
import { test } from "node:test";
import { numbers } from "../helpers/compile.ts";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const prepared = await exampleTask("resnet");

test("a ResNet reads digits that it has not seen, by the statistics that it has kept", async (t) => {
  const { job, initialState } = prepared.taskPackage;
  const { trained, untrained, state } = await trainedFor(prepared, DEEP ? job.steps : job.steps / 2, DEEP ? 480 : 160);
  t.diagnostic(`${trained.accuracy} of the digits are read`);
  assert.ok(
    untrained.accuracy! < 0.4 && trained.accuracy! > (DEEP ? 0.95 : 0.8),
    `${untrained.accuracy}, ${trained.accuracy}`,
  );
  assert.ok(trained.loss < trained.baseline!.loss / 3);
  const running = [...job.program.state.keys()].filter((index) => job.program.state[index]!.role === "running");
  assert.equal(running.length, 2 * 9);
  for (const index of running) assert.notDeepEqual(state[index], initialState[index], job.program.state[index]!.name);
  const variances = running.filter((index) => job.program.state[index]!.name.endsWith("running_var"));
  for (const index of variances) assert.ok(numbers(state[index]!).every((variance) => variance > 0));
});

test("statistics that stay as they were convict, at the first of them", async () => {
  assert.match(await convictedAt("resnet", prepared, 1n), /^state .*running_(mean|var)$/);
});

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { train } from "../../examples/inference/train.ts";
import { EvaluationError, evaluateModel } from "../../requester/evaluateModel.ts";
import { parameterCount } from "../../requester/parameterCount.ts";
import { datasetWarnings } from "../../shared/data/warnings.ts";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../examples/inference");
const prepared = await exampleTask("inference");

test("every checkpoint is the outputs of one batch, and the score is that of the model", async () => {
  const { job } = prepared.taskPackage;
  assert.deepEqual(
    job.program.state.map(({ name, shape, role }) => [name, shape, role]),
    [["logits", [50, 10], "output"]],
  );
  const { losses, trained, untrained } = await trainedFor(prepared, job.steps, 1000);
  assert.ok(Math.abs(losses.reduce((a, b) => a + b) / losses.length - trained.loss) < 1e-9);
  assert.ok(trained.accuracy! > 0.85 && trained.loss < trained.baseline!.loss / 2, `${trained.accuracy}`);
  assert.deepEqual(untrained, trained);
  assert.ok(parameterCount(job.program) > 7000);
  assert.match(datasetWarnings(prepared.data).join(), /nothing is held out/);
  assert.deepEqual(datasetWarnings(prepared.data, false), []);
  await assert.rejects(evaluateModel(prepared, new Uint8Array()), EvaluationError);
});

test("an output that is one digit off convicts, at that output", async () => {
  assert.equal(await convictedAt("inference", prepared, 1n), "logits.next");
});

if (process.env.TOUCHSTONE_DEEP === "1") {
  test("the model is what train.ts makes", async () => {
    assert.deepEqual(await train(), new Uint8Array(await readFile(path.join(FOLDER, "trained.onnx"))));
  });
}

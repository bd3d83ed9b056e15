import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { forwardModel } from "../../examples/solidity-mlp/write.ts";
import { TrainedModel } from "../../requester/evaluate.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { bigramLoss } from "../../shared/data/text.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { parseTaskFile } from "../../shared/task/task.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../examples/solidity-mlp");

test("the checked-in forward model is what its script writes for the task file", async () => {
  const file = readFileSync(path.join(FOLDER, "forward.onnx"));
  const task = parseTaskFile(readFileSync(path.join(FOLDER, "task.json"), "utf8"));
  assert.ok(file.equals(await forwardModel(task, FOLDER)), "run npx node examples/solidity-mlp/write.ts");
});

test("the example has more than 100000 parameters", () => {
  const { initializers } = decodeModel(readFileSync(path.join(FOLDER, "forward.onnx"))).graph;
  assert.ok(initializers.reduce((sum, { data }) => sum + data.length, 0) > 100_000);
});

test("the training beats a bigram model by far on files that it has not seen", async () => {
  const { taskPackage, data } = await prepareTask(path.join(FOLDER, "task.json"));
  const { job, initialState } = taskPackage;
  const engine = await startOnnxRuntime(job.program);
  try {
    const { state } = await engine.steps({
      state: initialState,
      count: job.steps,
      inputs: (step) => sourceOutputs(job, step),
    });
    const heldOut = data.heldOut.subarray(0, 4096 * data.layout.words);
    const { loss, accuracy } = await new TrainedModel(engine, job.program, state).evaluate(heldOut);
    const bigram = bigramLoss(data.text!, data.layout, heldOut);
    assert.ok(accuracy! > 0.4, `${accuracy} of the characters are predicted`);
    assert.ok(loss < bigram - 0.3, `${loss} nats held out, a bigram model has ${bigram}`);
  } finally {
    await engine.close();
  }
});

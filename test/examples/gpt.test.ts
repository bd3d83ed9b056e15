import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { forwardModel } from "../../examples/gpt/write.ts";
import { TrainedModel } from "../../requester/evaluate.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { bigramLoss } from "../../shared/data/text.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { parseTaskFile } from "../../shared/task/task.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../examples/gpt");
const DEEP = process.env.TOUCHSTONE_DEEP === "1";

test("the checked-in forward model is what its script writes for the task file", async () => {
  const file = readFileSync(path.join(FOLDER, "forward.onnx"));
  const task = parseTaskFile(readFileSync(path.join(FOLDER, "task.json"), "utf8"));
  assert.ok(file.equals(await forwardModel(task, FOLDER)), "run npx node examples/gpt/write.ts");
});

test("the task compiles to a well-formed job that predicts the token after every position", async () => {
  const { taskPackage, data } = await prepareTask(path.join(FOLDER, "task.json"));
  const { job, initialState } = taskPackage;
  requireWellFormedJob(job, initialState);
  const [input, target] = data.layout.fields;
  assert.equal(input!.width, target!.width);
  const { shape } = job.program.operators[job.program.logits!]!.operator;
  assert.equal(shape.at(-1), data.text!.tokenizer.size);
  const targets = job.program.operators.find(({ name }) => name === "target")!.operator;
  assert.equal(wordCount(shape) / shape.at(-1)!, wordCount(targets.shape));
});

test(`the loss falls${DEEP ? ", below a bigram model's by far on files that it has not seen" : ""}`, async (t) => {
  const { taskPackage, data } = await prepareTask(path.join(FOLDER, "task.json"));
  const { job, initialState } = taskPackage;
  const engine = await startOnnxRuntime(job.program);
  const losses: number[] = [];
  try {
    const { state } = await engine.steps({
      state: initialState,
      count: DEEP ? job.steps : 24,
      inputs: (step) => sourceOutputs(job, step),
      onStep: (_, { loss }) => void losses.push(loss),
    });
    // Evenly distributed guesses have the logarithm of the vocabulary.
    assert.ok(Math.abs(losses[0]! - Math.log(data.text!.tokenizer.size)) < 0.5, `it starts at ${losses[0]}`);
    assert.ok(losses.at(-1)! < losses[0]! - 1, `from ${losses[0]} to ${losses.at(-1)}`);
    if (!DEEP) return;
    const heldOut = data.heldOut.subarray(0, 512 * data.layout.words);
    const { loss, accuracy } = await new TrainedModel(engine, job.program, state).evaluate(heldOut);
    const bigram = bigramLoss(data.text!, data.layout, heldOut);
    t.diagnostic(`${loss} nats a character held out, accuracy ${accuracy}; a bigram model has ${bigram}`);
    assert.ok(loss < bigram - 0.5, `${loss} nats held out, a bigram model has ${bigram}`);
  } finally {
    await engine.close();
  }
});

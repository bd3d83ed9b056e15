import assert from "node:assert/strict";
import { test } from "node:test";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const prepared = await exampleTask("lstm");

test("an LSTM beats a bigram model on files that it has not seen", async (t) => {
  const { losses, trained } = await trainedFor(prepared, prepared.taskPackage.job.steps, 512);
  assert.ok(Math.abs(losses[0]! - Math.log(prepared.data.text!.tokenizer.size)) < 0.5, `it starts at ${losses[0]}`);
  assert.equal(trained.baseline?.name, "bigram counts");
  t.diagnostic(`${trained.loss} nats a character, a bigram model has ${trained.baseline.loss}`);
  assert.ok(trained.loss < trained.baseline.loss - 0.1, `${trained.loss}`);
});

test("a gate that is opened too far convicts, at that gate", async () => {
  assert.match(await convictedAt("lstm", prepared, 1n), /\.gates\.\d+$/);
});

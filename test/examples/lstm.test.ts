import assert from "node:assert/strict";
import { test } from "node:test";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const prepared = await exampleTask("lstm");

test(`the loss falls${DEEP ? ", below a bigram model's on files that it has not seen" : ""}`, async (t) => {
  const { losses, trained } = await trainedFor(prepared, DEEP ? prepared.taskPackage.job.steps : 60, DEEP ? 512 : 16);
  assert.ok(Math.abs(losses[0]! - Math.log(prepared.data.text!.tokenizer.size)) < 0.5, `it starts at ${losses[0]}`);
  assert.ok(losses.at(-1)! < losses[0]! - 1, `${losses}`);
  assert.equal(trained.baseline?.name, "bigram counts");
  if (!DEEP) return;
  t.diagnostic(`${trained.loss} nats a character, a bigram model has ${trained.baseline.loss}`);
  assert.ok(trained.loss < trained.baseline.loss - 0.1, `${trained.loss}`);
});

test("a gate that is opened too far convicts, at that gate", async () => {
  assert.match(await convictedAt("lstm", prepared, 1n), /\.gates\.\d+$/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const prepared = await exampleTask("llama");

test("the table of tokens is the head, and positions and mask are constants", () => {
  const { state, constants } = prepared.taskPackage.job.program;
  const vocabulary = prepared.data.text!.tokenizer.size;
  const tables = state.filter(({ shape, role }) => shape[0] === vocabulary && role === undefined);
  assert.deepEqual(
    tables.map(({ name }) => name),
    ["token.weight"],
  );
  const shapes = constants.map(({ shape }) => `${shape}`);
  assert.deepEqual([shapes.filter((shape) => shape === "48,12").length, shapes.includes("48,48")], [2, true]);
});

test(`the loss falls${DEEP ? ", below a bigram model's by far on files that it has not seen" : ""}`, async (t) => {
  const { losses, trained } = await trainedFor(prepared, DEEP ? prepared.taskPackage.job.steps : 32, DEEP ? 512 : 16);
  assert.ok(losses.at(-1)! < losses[0]! - 1, `${losses}`);
  if (!DEEP) return;
  t.diagnostic(`${trained.loss} nats a character, a bigram model has ${trained.baseline!.loss}`);
  assert.ok(trained.loss < trained.baseline!.loss - 0.3, `${trained.loss}`);
});

test("another number in the mask or the tables of positions convicts, where it is read first", async () => {
  await convictedAt("llama", prepared, 1n);
});

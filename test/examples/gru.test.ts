import assert from "node:assert/strict";
import { test } from "node:test";
import { drawSeries } from "../../examples/gru/data.ts";
import { sha256 } from "../../shared/commitment/sha256.ts";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const prepared = await exampleTask("gru");

test("the series are the same on every machine, in every portion", () => {
  const { buffer } = drawSeries(0, 20);
  assert.equal(
    Buffer.from(sha256(new Uint8Array(buffer))).toString("hex"),
    "7a5adfd0ef05c457b0e356ef3018bd923a22545dd45fc85f959e5399fd287352",
  );
  assert.deepEqual(drawSeries(7, 3), drawSeries(0, 20).slice(7 * 32, 10 * 32));
});

test("a GRU forecasts series that it has not seen, far better than their mean", async (t) => {
  const { untrained, trained } = await trainedFor(prepared, DEEP ? prepared.taskPackage.job.steps : 100, 800);
  assert.equal(trained.baseline?.name, "the training samples' mean");
  t.diagnostic(`squared error ${trained.loss}, of the mean ${trained.baseline.loss}`);
  assert.ok(
    untrained.loss > trained.baseline.loss && trained.loss < trained.baseline.loss / (DEEP ? 5 : 3),
    `${trained.loss}`,
  );
});

test("a gate that is opened too far convicts, at that gate", async () => {
  assert.match(await convictedAt("gru", prepared, 1n), /\.gates\.\d+$/);
});

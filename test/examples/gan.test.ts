import assert from "node:assert/strict";
import { test } from "node:test";
import { CORNERS, drawPoints } from "../../examples/gan/data.ts";
import { convictedAt, exampleTask, trainedFor } from "./examples.ts";

const prepared = await exampleTask("gan");

test("the points lie around eight corners", () => {
  const points = drawPoints(0, 400);
  const found = Array.from({ length: 400 }, (_, row) => {
    const distances = CORNERS.map(([x, y]) => Math.hypot(points[2 * row]! - 2 * x, points[2 * row + 1]! - 2 * y));
    assert.ok(Math.min(...distances) < 0.6);
    return distances.indexOf(Math.min(...distances));
  });
  assert.deepEqual([...new Set(found)].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(drawPoints(30, 5), points.slice(60, 70));
});

test("what the generator makes comes closer to points that it has not seen than noise does", async (t) => {
  const { trained, untrained } = await trainedFor(prepared, prepared.taskPackage.job.steps, 512);
  assert.equal(trained.measure, "energy distance");
  t.diagnostic(`energy distance from ${untrained.loss} to ${trained.loss}; of noise ${trained.baseline!.loss}`);
  assert.ok(untrained.loss > 0.5 && trained.loss < trained.baseline!.loss / 2, `${trained.loss}`);
});

test("noise of another step convicts, at the noise", async () => {
  assert.match(await convictedAt("gan", prepared, 1n), /random$/);
});

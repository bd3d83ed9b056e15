import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { drawDigits, SIDE, writeDigits } from "../../examples/digits-cnn/data.ts";
import { forwardModel } from "../../examples/digits-cnn/write.ts";
import { TrainedModel } from "../../requester/evaluate.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { sha256 } from "../../shared/commitment/sha256.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { sourceOutputs } from "../../shared/job/job.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../examples/digits-cnn");
const STEPS = 80;

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), "digits-"));
  for (const file of ["task.json", "forward.onnx"]) copyFileSync(path.join(FOLDER, file), path.join(folder, file));
  writeDigits(path.join(folder, "data"), 1500, 320);
});
after(() => rmSync(folder, { recursive: true }));

test("the checked-in forward model is what its script writes", () => {
  assert.ok(readFileSync(path.join(FOLDER, "forward.onnx")).equals(forwardModel()), "run examples/digits-cnn/write.ts");
});

test("the images are the same on every machine, in every portion", () => {
  const { images, labels } = drawDigits(28n, 0, 40);
  assert.equal(
    Buffer.from(sha256(images)).toString("hex"),
    "2c5c6285d7b80702e5495fbbcad7ee92bcb94538d67d980f694a8e33830281a1",
  );
  assert.deepEqual([...new Set(labels)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const later = drawDigits(28n, 17, 3);
  assert.deepEqual(later.images, images.slice(17 * SIDE * SIDE, 20 * SIDE * SIDE));
});

test("half of the training reads most digits that it has not seen", async () => {
  const { taskPackage, data } = await prepareTask(path.join(folder, "task.json"));
  const { job, initialState } = taskPackage;
  const engine = await startOnnxRuntime(job.program);
  try {
    const accuracy = async (state: typeof initialState) =>
      (await new TrainedModel(engine, job.program, state).evaluate(data.heldOut!)).accuracy!;
    const untrained = await accuracy(initialState);
    const { state } = await engine.steps({
      state: initialState,
      count: STEPS,
      inputs: (step) => sourceOutputs(job, step),
    });
    const trained = await accuracy(state);
    assert.ok(untrained < 0.4 && trained > 0.9, `${untrained} before, ${trained} after ${STEPS} steps`);
  } finally {
    await engine.close();
  }
});

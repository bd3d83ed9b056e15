import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { baselineOf } from "../../requester/baseline.ts";
import type { Dataset } from "../../shared/data/dataset.ts";
import { Dtype } from "../../shared/program/descriptor.ts";

function dataset(targetDtype: Dtype, minimum: number, training: number[]): Dataset {
  const x = { name: "x", dtype: Dtype.float32, offset: 0, width: 1, minimum: 0, maximum: 1 };
  const target = { name: "target", dtype: targetDtype, offset: 1, width: 1, minimum, maximum: 2 };
  const words = Uint32Array.from(training.flatMap((label) => [0, label]));
  const heldOut = new Uint32Array(0);
  return { layout: { words: 2, fields: [x, target] }, training: words, heldOut, classes: {}, text: null };
}

describe("baselineOf", () => {
  it("predicts each class as often as the training samples have it", () => {
    const samples = Uint32Array.of(0, 0, 0, 2);
    const baseline = baselineOf(dataset(Dtype.int32, 0, [0, 0, 0, 1]), samples);
    // Counts 3, 1 and 0, each one more: 4, 2 and 1 of 7.
    const loss = -(Math.log(4 / 7) + Math.log(1 / 7)) / 2;
    assert.equal(baseline?.name, "class counts");
    assert.ok(Math.abs(baseline.loss - loss) < 1e-12);
  });

  it("predicts the mean of each number over the training samples", () => {
    const field = { dtype: Dtype.float32, minimum: -4, maximum: 4 };
    const fields = [
      { ...field, name: "x", offset: 0, width: 1 },
      { ...field, name: "target", offset: 1, width: 2 },
    ];
    const rows = (...numbers: number[]): Uint32Array => new Uint32Array(Float32Array.from(numbers).buffer);
    const training = rows(9, 1, -1, 9, 3, -3);
    const data = { layout: { words: 3, fields }, training, heldOut: new Uint32Array(0), classes: {}, text: null };
    // The means are 2 and -2: errors 1, 0, 0 and 3.
    const samples = rows(0, 3, -2, 0, 2, 1);
    assert.deepEqual(baselineOf(data, samples, "meanSquaredError"), {
      name: "the training samples' mean",
      loss: (1 + 9) / 4,
    });
    assert.equal(baselineOf(data, samples, "binaryCrossEntropy"), null);
  });

  it("is none where the target is a number, or may be no class", () => {
    assert.equal(baselineOf(dataset(Dtype.float32, 0, [0]), Uint32Array.of(0, 0)), null);
    assert.equal(baselineOf(dataset(Dtype.int32, -100, [0]), Uint32Array.of(0, 0)), null);
  });
});

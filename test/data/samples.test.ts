import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSafetensors, SafetensorsError, writeSafetensors } from "../../shared/data/safetensors.ts";
import {
  checkSamples,
  decodeSamples,
  encodeSamples,
  SampleBoundsError,
  SampleLayoutError,
} from "../../shared/data/samples.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { Random } from "../helpers/random.ts";

const image = { name: "image", dtype: Dtype.float32, offset: 1, width: 4, minimum: -1, maximum: 1 };
const label = { name: "label", dtype: Dtype.int32, offset: 0, width: 1, minimum: -1, maximum: 9 };
// Word 5 belongs to no field.
const layout = { words: 6, fields: [image, label] };

function dataset(count: number): Uint32Array {
  const random = new Random(count);
  const words = new Uint32Array(count * 6);
  for (let sample = 0; sample < count; sample++) {
    new Int32Array(words.buffer)[sample * 6] = random.between(-1, 9);
    for (let pixel = 0; pixel < 4; pixel++) {
      new Float32Array(words.buffer)[sample * 6 + 1 + pixel] = random.unit() * 2 - 1;
    }
  }
  return words;
}
const withFloat = (words: Uint32Array, position: number, value: number) => {
  const copy = words.slice();
  new Float32Array(copy.buffer)[position] = value;
  return copy;
};

describe("samples", () => {
  it("round-trip through a file with one tensor for each field", () => {
    for (const count of [1, 2, 50]) {
      const words = dataset(count);
      const file = encodeSamples(layout, words);
      assert.deepEqual(decodeSamples(layout, file), { count, words });
      const { tensors } = readSafetensors(file);
      assert.deepEqual(
        tensors.map(({ name, shape, dtype }) => [name, shape, dtype]),
        [
          ["image", [count, 4], Dtype.float32],
          ["label", [count, 1], Dtype.int32],
        ],
      );
      assert.equal(tensors[1]!.words[count - 1], words[(count - 1) * 6]);
    }
  });

  it("accept the bounds themselves and refuse everything beyond", () => {
    const words = dataset(5);
    for (const edge of [-1, 1, 0, -0]) checkSamples(layout, withFloat(words, 6 * 3 + 4, edge));
    for (const beyond of [1.0000001, -1.0000001, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
      assert.throws(
        () => checkSamples(layout, withFloat(words, 6 * 3 + 4, beyond)),
        (error: SampleBoundsError) => error instanceof SampleBoundsError && error.sample === 3,
      );
    }
    for (const [value, allowed] of [
      [-1, true],
      [9, true],
      [-2, false],
      [10, false],
      [0x7fffffff, false],
    ] as const) {
      const changed = words.slice();
      changed[24] = value >>> 0;
      if (allowed) checkSamples(layout, changed);
      else assert.throws(() => checkSamples(layout, changed), SampleBoundsError);
    }
    assert.throws(() => encodeSamples(layout, withFloat(words, 1, 2)), SampleBoundsError);
  });

  it("check bounds when they are read, not only when they are written", () => {
    const [images, labels] = readSafetensors(encodeSamples(layout, dataset(3))).tensors;
    const file = writeSafetensors([{ ...images!, words: withFloat(images!.words, 11, 5) }, labels!]);
    assert.throws(() => decodeSamples(layout, file), SampleBoundsError);
  });

  it("refuse words that no field declares", () => {
    const words = dataset(4);
    words[6 * 2 + 5] = 1;
    assert.throws(() => checkSamples(layout, words), SampleLayoutError);
  });

  it("refuse words that are not whole samples", () => {
    for (const count of [0, 5, 7]) assert.throws(() => checkSamples(layout, new Uint32Array(count)), SampleLayoutError);
  });

  it("refuse fields that overlap, are empty or leave the sample", () => {
    for (const fields of [
      [image, { ...label, offset: 4 }],
      [image, { ...label, offset: 6 }],
      [image, { ...label, width: 0 }],
      [{ ...image, offset: -1 }],
    ]) {
      assert.throws(() => checkSamples({ words: 6, fields }, new Uint32Array(6)), SampleLayoutError);
    }
  });

  it("refuse files of another layout", () => {
    const file = encodeSamples(layout, dataset(3));
    const { tensors: read } = readSafetensors(file);
    const images = read[0]!;
    const labels = read[1]!;
    const others = [
      [images],
      [labels],
      [],
      [images, labels, { ...labels, name: "more" }],
      [images, { ...labels, dtype: Dtype.float32 }],
      [images, { ...labels, shape: [3] }],
      [images, { ...labels, shape: [1, 3] }],
      [images, { ...labels, shape: [2, 1], words: labels.words.slice(1) }],
      [{ ...images, shape: [2 ** 40, 0], words: new Uint32Array(0) }, labels],
    ];
    for (const tensors of others) {
      assert.throws(() => decodeSamples(layout, writeSafetensors(tensors)), SampleLayoutError);
    }
    assert.throws(() => decodeSamples(layout, file.subarray(1)), SafetensorsError);
  });
});

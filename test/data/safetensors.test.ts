import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type NamedTensor,
  readSafetensors,
  SafetensorsError,
  type SafetensorsErrorReason,
  writeSafetensors,
} from "../../shared/data/safetensors.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { Random } from "../helpers/random.ts";
import { randomWords } from "../helpers/randomBytes.ts";

// Written by the reference implementation (test/vectors/safetensorsFile.py).
const vector = JSON.parse(readFileSync(new URL("../vectors/safetensorsFile.json", import.meta.url), "utf8"));
const reference = Buffer.from(vector.file, "hex");

const tensor = (name: string, shape: number[], words: Uint32Array, dtype: Dtype = Dtype.float32): NamedTensor => ({
  name,
  dtype,
  shape,
  words,
});

/** A file with any header. */
function fileOf(header: unknown, dataBytes: number, raw = JSON.stringify(header)): Uint8Array {
  const json = Buffer.from(raw);
  const file = Buffer.alloc(8 + json.length + dataBytes);
  file.writeBigUInt64LE(BigInt(json.length));
  json.copy(file, 8);
  return new Uint8Array(file);
}
const entry = (shape: unknown, begin: unknown, end: unknown, dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function assertRefused(file: Uint8Array, reason: SafetensorsErrorReason): void {
  assert.throws(
    () => readSafetensors(file),
    (error: SafetensorsError) => {
      assert.ok(error instanceof SafetensorsError, String(error));
      assert.equal(error.reason, reason, error.message);
      return true;
    },
  );
}

describe("safetensors", () => {
  it("reads the reference implementation's file", () => {
    const { tensors, metadata } = readSafetensors(reference);
    assert.deepEqual(metadata, { format: "np" });
    assert.deepEqual(
      tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        ["bias", Dtype.float32, [3]],
        ["größe", Dtype.float32, [0, 4]],
        ["weight", Dtype.float32, [2, 2]],
        ["step", Dtype.int32, []],
      ],
    );
    assert.deepEqual(new Float32Array(tensors[0]!.words.buffer), Float32Array.of(1.5, -2, 0.25));
    assert.deepEqual(new Float32Array(tensors[2]!.words.buffer), Float32Array.of(1, 2, 3, -0.5));
    assert.deepEqual(new Int32Array(tensors[3]!.words.buffer), Int32Array.of(-7));
  });

  it("writes the reference implementation's bytes", () => {
    const { tensors, metadata } = readSafetensors(reference);
    assert.deepEqual(Buffer.from(writeSafetensors(tensors, metadata)), reference);
  });

  it("round-trips every word, wherever the bytes lie in memory", () => {
    const random = new Random(1);
    for (let round = 0; round < 30; round++) {
      const tensors = Array.from({ length: random.below(6) }, (_, position) => {
        const shape = Array.from({ length: random.below(4) }, () => random.between(1, 5));
        const words = randomWords(
          random,
          shape.reduce((a, b) => a * b, 1),
        );
        return tensor(`${position}`, shape, words, random.pick([Dtype.float32, Dtype.int32]));
      }).reverse();
      const file = writeSafetensors(tensors, { round: `${round}` });
      assert.equal(new DataView(file.buffer).getUint32(0, true) % 8, 0);
      const shifted = new Uint8Array(file.length + 3);
      shifted.set(file, 3);
      for (const bytes of [file, shifted.subarray(3)]) {
        assert.deepEqual(readSafetensors(bytes), { tensors, metadata: { round: `${round}` } });
      }
    }
  });

  it("reads an empty file and odd names", () => {
    assert.deepEqual(readSafetensors(writeSafetensors([])), { tensors: [], metadata: {} });
    const names = ["__proto__", "constructor", '"', "\\", "7", ""];
    const file = writeSafetensors(names.map((name, n) => tensor(name, [1], Uint32Array.of(n))));
    assert.deepEqual(
      readSafetensors(file).tensors.map(({ name, words }) => [name, words[0]]),
      names.map((name, n) => [name, n]),
    );
  });

  it("refuses to write what could not be read", () => {
    const good = tensor("a", [2], new Uint32Array(2));
    for (const tensors of [[good, good], [{ ...good, name: "__metadata__" }], [{ ...good, shape: [3] }]]) {
      assert.throws(() => writeSafetensors(tensors), SafetensorsError);
    }
  });

  it("refuses every truncation and extension", () => {
    for (let length = 0; length < reference.length; length++) assertRefused(reference.subarray(0, length), "truncated");
    assertRefused(Buffer.concat([reference, Buffer.alloc(1)]), "offsets");
  });

  it("refuses headers that are not one", () => {
    assertRefused(fileOf(null, 0, "{"), "header");
    assertRefused(fileOf(null, 0, "[]"), "header");
    assertRefused(fileOf(null, 0, "null"), "header");
    assertRefused(fileOf(null, 0, " {}"), "header");
    assertRefused(fileOf(null, 0, ""), "header");
    assertRefused(fileOf({ a: 5 }, 0), "header");
    assertRefused(fileOf({ a: null }, 0), "header");
    assertRefused(fileOf({ __metadata__: { a: 5 } }, 0), "header");
    assertRefused(fileOf({ __metadata__: ["a"] }, 0), "header");
    const wrongUtf8 = fileOf({ ab: entry([], 0, 4) }, 4);
    wrongUtf8[10] = 0xff;
    assertRefused(wrongUtf8, "header");
    const huge = fileOf({}, 0);
    new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true);
    assertRefused(huge, "header");
  });

  it("refuses other dtypes", () => {
    for (const dtype of ["F16", "BF16", "I64", "f32", "", null, 5]) {
      assertRefused(fileOf({ a: entry([1], 0, 4, dtype) }, 4), "dtype");
    }
  });

  it("refuses shapes that are not sizes", () => {
    for (const shape of [
      undefined,
      "1",
      [-1],
      [1.5],
      ["1"],
      [null],
      [2 ** 53],
      [2 ** 40, 2 ** 40],
      [1e308, 1e308, 0],
    ]) {
      assertRefused(fileOf({ a: entry(shape, 0, 4) }, 4), "shape");
    }
  });

  it("refuses offsets that overlap, leave holes, run backwards or leave the file", () => {
    assertRefused(fileOf({ a: entry([2], 0, 4) }, 8), "size");
    assertRefused(fileOf({ a: entry([2], 0, 12) }, 12), "size");
    assertRefused(fileOf({ a: entry([2], 8, 0) }, 8), "offsets");
    assertRefused(fileOf({ a: entry([1], -4, 0) }, 4), "offsets");
    assertRefused(fileOf({ a: entry([1], 0.5, 4.5) }, 8), "offsets");
    assertRefused(fileOf({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4), "offsets");
    assertRefused(fileOf({ a: { dtype: "F32", shape: [1] } }, 4), "offsets");
    assertRefused(fileOf({ a: entry([1], 4, 8) }, 8), "offsets");
    assertRefused(fileOf({ a: entry([2], 0, 8), b: entry([2], 4, 12) }, 12), "offsets");
    assertRefused(fileOf({ a: entry([2], 0, 8), b: entry([2], 0, 8) }, 8), "offsets");
    assertRefused(fileOf({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12), "offsets");
    assertRefused(fileOf({ a: entry([1], 0, 4) }, 8), "offsets");
    assertRefused(fileOf({ a: entry([3], 0, 12) }, 8), "truncated");
  });
});

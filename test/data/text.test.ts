import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import { DataFileError, DatasetError } from "../../shared/data/errors.ts";
import { bigramLoss, TextDatasetError, textDataset } from "../../shared/data/text.ts";
import { tokenizerOf } from "../../shared/data/tokenizer.ts";
import { decodeText } from "../../shared/data/utf8.ts";
import { dataSection } from "../../shared/task/taskData.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";

/** The dataset of a `text` section over some texts, in their order. */
async function build(texts: readonly (string | Uint8Array)[], section: object = {}) {
  const files = memoryFiles(Object.fromEntries(texts.map((text, index) => [`${index}.txt`, text])));
  const settings = { kind: "text", files: "*.txt", context: 2, stride: 1, holdOutEvery: 2, ...section };
  return buildDataset(dataSection.parse(settings), files);
}

describe("text datasets", () => {
  it("number characters by code point after the unknown token", async () => {
    const { text, layout } = await build(["cab😀", "abc"]);
    assert.deepEqual(text!.tokenizer.spec, { kind: "characters", vocabulary: ["\u{FFFD}", "a", "b", "c", "😀"] });
    assert.deepEqual(layout, {
      words: 3,
      fields: [
        { name: "input", dtype: 1, offset: 0, width: 2, minimum: 0, maximum: 4 },
        { name: "target", dtype: 1, offset: 2, width: 1, minimum: 0, maximum: 4 },
      ],
    });
  });

  it("cut windows of context + 1 tokens at the stride, never across texts", async () => {
    const { training, heldOut } = await build(["abcab", "cba", "ab"], { stride: 2 });
    assert.deepEqual([...training], [1, 2, 3, 3, 1, 2]);
    assert.deepEqual([...heldOut], [3, 2, 1]);
  });

  it("have a target for every position where that is asked for", async () => {
    const { training, layout } = await build(["abcab", "cba"], { stride: 2, targets: "every" });
    assert.deepEqual([...training], [1, 2, 2, 3, 3, 1, 1, 2]);
    assert.deepEqual(
      layout.fields.map(({ name, offset, width }) => [name, offset, width]),
      [
        ["input", 0, 2],
        ["target", 2, 2],
      ],
    );
  });

  it("map rare characters, and those only in held-out texts, to the unknown token", async () => {
    const { text, heldOut } = await build(["aabbz", "aqz"], { minimumCount: 2 });
    assert.deepEqual(text!.tokenizer.spec, { kind: "characters", vocabulary: ["\u{FFFD}", "a", "b"] });
    assert.deepEqual([...heldOut], [1, 0, 0]);
  });

  it("hold out the end of every text, separate files, or nothing", async () => {
    const last = await build(["abcdefghi😀"], { holdOutEvery: undefined, holdOutLast: 0.3, tokenizer: "bytes" });
    assert.deepEqual(
      [...last.training.subarray(-3)],
      [..."efg"].map((letter) => letter.charCodeAt(0)),
    );
    assert.deepEqual([...last.heldOut.subarray(0, 4)], [104, 105, 0xf0, 105]);
    const files = memoryFiles({ "0.txt": "abc", "1.text": "cba" });
    const section = { kind: "text", files: "*.txt", holdOutFiles: "*.text", context: 2, stride: 1 };
    assert.deepEqual([...(await buildDataset(dataSection.parse(section), files)).heldOut], [3, 2, 1]);
    assert.equal((await build(["abc"], { holdOutEvery: undefined })).heldOut.length, 0);
    const twice = build(["abc", "abc"], { holdOutLast: 0.5 });
    await assert.rejects(twice, (error: DatasetError) => error.path === "$.data.holdOutLast");
  });

  it("take bytes as 256 tokens, and write them back as the same text", async () => {
    const { text, training } = await build(["aé", "aé"], { tokenizer: "bytes" });
    assert.equal(text!.tokenizer.size, 256);
    assert.deepEqual([...training], [97, 0xc3, 0xa9]);
    const sample = "\u{FEFF}naïve 😀\r\n\0";
    assert.equal(text!.tokenizer.decode(text!.tokenizer.encode(sample)), sample);
    await assert.rejects(build(["abc", "abc"], { tokenizer: "bytes", minimumCount: 2 }), DatasetError);
  });

  it("refuse texts that are too short, or no UTF-8", async () => {
    await assert.rejects(build(["ab", "abc"]), TextDatasetError);
    await assert.rejects(build(["abc", "ab"]), TextDatasetError);
    await assert.rejects(build(["abc"]), TextDatasetError);
    await assert.rejects(build([Uint8Array.of(0x61, 0xff, 0x61), "abc"]), (error: DataFileError) => {
      assert.ok(error instanceof DataFileError);
      return error.file === "0.txt";
    });
  });
});

describe("text files", () => {
  it("are refused beyond the length that a text can have", () => {
    const file = { name: "long.txt", bytes: new TextEncoder().encode("abc") };
    assert.equal(decodeText(file, 3), "abc");
    assert.throws(() => decodeText(file, 2), DataFileError);
  });
});

describe("bigramLoss", () => {
  const tokenizer = tokenizerOf({ kind: "characters", vocabulary: ["\u{FFFD}", "a", "b"] });
  // Bigrams of "abab": a→b twice, b→a once; three tokens, so P(b|a) = 3/5 and P(a|b) = 2/4.
  const texts = { training: ["abab"], heldOut: [], mustHoldOut: false };

  it("is the smoothed count model's loss on the last token of each window", () => {
    const { text, layout } = textDataset(texts, tokenizer, { context: 1, stride: 1, targets: "last" });
    const loss = bigramLoss(text!, layout, Uint32Array.of(1, 2, 2, 1));
    assert.ok(Math.abs(loss - (-Math.log(3 / 5) - Math.log(2 / 4)) / 2) < 1e-12);
  });

  it("is the mean over all positions where every one has a target", () => {
    const { text, layout } = textDataset(texts, tokenizer, { context: 2, stride: 1, targets: "every" });
    const loss = bigramLoss(text!, layout, Uint32Array.of(1, 2, 2, 0));
    assert.ok(Math.abs(loss - (-Math.log(3 / 5) - Math.log(1 / 4)) / 2) < 1e-12);
  });
});

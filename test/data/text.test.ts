import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bigramLoss, TextDatasetError, textDataset, tokenise } from "../../shared/data/text.ts";

const options = { context: 2, stride: 1, minimumCount: 1, holdOutEvery: 2 };

describe("textDataset", () => {
  it("numbers characters by code point after the unknown token", () => {
    assert.deepEqual(textDataset(["cab😀", "abc"], options).vocabulary, ["\u{FFFD}", "a", "b", "c", "😀"]);
  });

  it("cuts windows of context + 1 tokens at the stride, never across texts", () => {
    const { samples, heldOut } = textDataset(["abcab", "cba", "ab"], { ...options, stride: 2 });
    assert.deepEqual([...samples], [1, 2, 3, 3, 1, 2]);
    assert.deepEqual([...heldOut], [3, 2, 1]);
  });

  it("maps rare characters, and those only in held-out texts, to the unknown token", () => {
    const { vocabulary, heldOut } = textDataset(["aabbz", "aqz"], { ...options, minimumCount: 2 });
    assert.deepEqual(vocabulary, ["\u{FFFD}", "a", "b"]);
    assert.deepEqual([...heldOut], [1, 0, 0]);
  });

  it("takes a task file's data section as it is", () => {
    const section = { kind: "text", files: "*.txt", ...options };
    assert.deepEqual(textDataset(["abc", "abc"], section), textDataset(["abc", "abc"], options));
  });

  it("refuses texts that are too short, and options that are no positive integers", () => {
    assert.throws(() => textDataset(["ab", "abc"], options), TextDatasetError);
    assert.throws(() => textDataset(["abc", "ab"], options), TextDatasetError);
    assert.throws(() => textDataset(["abc", "abc"], { ...options, stride: 0 }), /stride is 0/);
    assert.throws(() => textDataset(["abc", "abc"], { ...options, context: 1.5 }), TextDatasetError);
  });
});

describe("bigramLoss", () => {
  it("is the smoothed count model's loss on the last token of each window", () => {
    const tokens = new Map([
      ["a", 1],
      ["b", 2],
    ]);
    // Bigrams of "abab": a→b twice, b→a once; three tokens, so P(b|a) = 3/5 and P(a|b) = 2/4.
    const loss = bigramLoss([tokenise("abab", tokens)], Uint32Array.of(1, 2, 2, 1), 2, 3);
    assert.ok(Math.abs(loss - (-Math.log(3 / 5) - Math.log(2 / 4)) / 2) < 1e-12);
  });
});

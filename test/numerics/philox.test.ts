import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Counter,
  initialWords,
  keyOf,
  philox4x32,
  randomWord,
  randomWords,
  sampleRow,
} from "../../shared/numerics/philox.ts";
import { Random } from "../helpers/random.ts";

// Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
const KNOWN: readonly [counter: Counter, key: readonly [number, number], result: Counter][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test("the known answers of Random123", () => {
  for (const [counter, key, result] of KNOWN) assert.deepEqual(philox4x32(counter, key), result);
});

test("a sample row is floor(word · N / 2^32) of the documented counter", () => {
  const random = new Random(41);
  for (let i = 0; i < 1000; i++) {
    const seed = (BigInt(random.word()) << 32n) | BigInt(random.word());
    const [step, row, count] = [random.word(), random.word(), random.word()];
    const word = philox4x32([step, row, 0, 1], [Number(seed & 0xffffffffn), Number(seed >> 32n)])[0];
    assert.equal(BigInt(sampleRow(seed, step, row, count)), (BigInt(word) * BigInt(count)) >> 32n);
  }
  assert.equal(sampleRow(7n, 3, 2, 0), 0);
  assert.equal(sampleRow(7n, 3, 2, 1), 0);
  assert.deepEqual(keyOf(0x123456789abcdef0n), [0x9abcdef0, 0x12345678]);
});

test("sample rows are spread over the dataset", () => {
  const counts = new Array<number>(10).fill(0);
  for (let row = 0; row < 10_000; row++) counts[sampleRow(99n, row >> 5, row & 31, 10)]! += 1;
  for (const count of counts) assert.ok(count > 880 && count < 1120, `${counts}`);
});

test("initial values are the lanes of consecutive counters, and a prefix of a longer tensor's", () => {
  const key = keyOf(5n);
  const words = initialWords(5n, 3, 10);
  assert.deepEqual([...words.subarray(0, 4)], philox4x32([0, 3, 0, 2], key));
  assert.deepEqual([...words.subarray(8)], philox4x32([2, 3, 0, 2], key).slice(0, 2));
  assert.deepEqual(initialWords(5n, 3, 7), words.subarray(0, 7));
  assert.notDeepEqual(initialWords(5n, 4, 10), words);
});

test("a random stream is the lanes of the documented counters, word by word and all at once", () => {
  const random = new Random(42);
  for (const count of [1, 2, 3, 4, 5, 63, 1000]) {
    const seed = (BigInt(random.word()) << 32n) | BigInt(random.word());
    const [step, stream] = [random.word(), random.word()];
    const words = randomWords(seed, step, stream, count);
    assert.equal(words.length, count);
    for (const [i, word] of words.entries()) {
      assert.equal(word, philox4x32([i >> 2, step, stream, 3], keyOf(seed))[i & 3]);
      assert.equal(word, randomWord(seed, step, stream, i));
    }
  }
  const last = philox4x32([0x3fffffff, 1, 2, 3], keyOf(6n))[3];
  assert.equal(randomWord(6n, 1, 2, 0xffffffff), last);
});

test("streams, steps and neighbours do not follow one another", () => {
  const count = 20_000;
  const unit = (step: number, stream: number) =>
    Array.from(randomWords(8n, step, stream, count), (w) => w / 2 ** 32 - 0.5);
  const first = unit(0, 0);
  const mean = first.reduce((sum, x) => sum + x, 0) / count;
  assert.ok(Math.abs(mean) < 0.01, `mean ${mean}`);
  for (const other of [unit(1, 0), unit(0, 1), [...first.slice(1), 0], [...first.slice(4), 0, 0, 0, 0]]) {
    const correlation = (12 * first.reduce((sum, x, i) => sum + x * other[i]!, 0)) / count;
    assert.ok(Math.abs(correlation) < 0.035, `correlation ${correlation}`);
  }
});

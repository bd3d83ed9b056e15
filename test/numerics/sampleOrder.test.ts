import assert from "node:assert/strict";
import { test } from "node:test";
import { permutationKeys, philox4x32 } from "../../shared/numerics/philox.ts";
import { permute, type SampleOrder, sampleAt } from "../../shared/numerics/sampleOrder.ts";
import { Random } from "../helpers/random.ts";

/** The samples of every row of some steps, one after the other. */
function samplesOf(order: SampleOrder, seed: bigint, steps: number, rows: number, count: number): number[] {
  return Array.from({ length: steps * rows }, (_, position) =>
    sampleAt(order, seed, { step: Math.floor(position / rows), rows, row: position % rows }, count),
  );
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

test("every epoch of a permutation takes every sample once, whatever the size of a batch", () => {
  for (const count of [...upTo(70).slice(1), 127, 128, 129, 1000, 4097]) {
    const rows = 1 + (count % 7);
    const steps = Math.ceil((3 * count) / rows);
    const samples = samplesOf("permutation", 11n, steps, rows, count);
    const epochs = [0, 1, 2].map((epoch) => samples.slice(epoch * count, (epoch + 1) * count));
    for (const epoch of epochs) assert.deepEqual(ascending(epoch), upTo(count), `${count} samples`);
    if (count >= 16) {
      assert.notDeepEqual(epochs[0], epochs[1]);
      assert.notDeepEqual(epochs[0], upTo(count));
    }
  }
});

test("a permutation of very many samples gives each at most once", () => {
  for (const count of [2 ** 31 + 1, 2 ** 32 - 1, 3_000_000_019]) {
    const keys = permutationKeys(5n, 9n);
    const places = [...upTo(2000), count - 1, count - 2];
    const permuted = places.map((place) => permute(keys, place, count));
    assert.equal(new Set(permuted).size, places.length);
    assert.ok(permuted.every((place) => place < count));
  }
});

test("permutations are spread evenly: of pairs, over places, and between neighbours", () => {
  const count = 10;
  const epochs = 3000;
  const at = upTo(count).map(() => new Array<number>(count).fill(0));
  const pairs = upTo(count).map(() => new Array<number>(count).fill(0));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const keys = permutationKeys(77n, BigInt(epoch));
    const order = upTo(count).map((place) => permute(keys, place, count));
    for (const [place, sample] of order.entries()) {
      at[place]![sample]! += 1;
      if (place > 0) pairs[order[place - 1]!]![sample]! += 1;
    }
  }
  // Binomial: 300 expected, deviation 16; for neighbours (9 of 90 pairs) 300 as well.
  for (const counts of [...at, ...pairs.map((row, i) => row.toSpliced(i, 1))]) {
    for (const each of counts) assert.ok(Math.abs(each - epochs / count) < 85, `${counts}`);
  }
});

test("all orders of four samples occur", () => {
  const seen = new Map<string, number>();
  for (let epoch = 0; epoch < 4800; epoch++) {
    const keys = permutationKeys(3n, BigInt(epoch));
    const order = `${upTo(4).map((place) => permute(keys, place, 4))}`;
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assert.equal(seen.size, 24);
  for (const [order, times] of seen) assert.ok(times > 100 && times < 300, `${order}: ${times}`);
});

test("the keys are those of the documented counters", () => {
  const [seed, epoch] = [0x123456789abcdef0n, 0x100000002n];
  const key = [0x9abcdef0, 0x12345678] as const;
  const expected = [...philox4x32([2, 1, 0, 4], key), ...philox4x32([2, 1, 1, 4], key)];
  assert.deepEqual(permutationKeys(seed, epoch), expected);
});

test("a sequence begins again at its end, and steps follow one another", () => {
  assert.deepEqual(samplesOf("sequential", 1n, 4, 3, 5), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]);
  assert.equal(sampleAt("sequential", 0n, { step: 2 ** 32 - 1, rows: 2 ** 32 - 1, row: 7 }, 1000), 32);
});

test("only rows drawn with replacement occur twice in an epoch, and every order stays within the samples", () => {
  const random = new Random(51);
  const drawn = samplesOf("replacement", 4n, 20, 5, 100);
  assert.ok(new Set(drawn).size < 100);
  for (let i = 0; i < 300; i++) {
    const place = { step: random.word(), rows: random.between(1, 2 ** 32 - 1), row: random.word() };
    const count = random.pick([1, 2, 3, random.between(1, 2 ** 32 - 1)]);
    for (const order of ["replacement", "permutation", "sequential"] as const) {
      const sample = sampleAt(order, BigInt(random.word()), place, count);
      assert.ok(Number.isInteger(sample) && sample >= 0 && sample < count, `${order} ${sample} of ${count}`);
    }
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { isFlushed } from "../../shared/numerics/flush.ts";
import { rateAt, scheduleTable } from "../../shared/program/schedule.ts";
import { ADAMW, numbers } from "../helpers/compile.ts";

const cosine = { kind: "cosine", peak: 0.5, warmup: 4, final: 0.1 } as const;

test("the rate rises to its peak, then falls along half a cosine to its final fraction", () => {
  const rates = Array.from({ length: 21 }, (_, step) => rateAt(cosine, step, 21));
  assert.deepEqual(rates.slice(0, 5), [0.125, 0.25, 0.375, 0.5, 0.5]);
  assert.ok(Math.abs(rates[12]! - (0.5 * 1.1) / 2) < 1e-12, "half way is the mean of both ends");
  assert.ok(Math.abs(rates[20]! - 0.05) < 1e-12);
  assert.ok(rates.slice(4).every((rate, i, falling) => i === 0 || rate < falling[i - 1]!));
});

test("a constant rate stays at its peak", () => {
  const rate = { ...cosine, kind: "constant" } as const;
  assert.deepEqual([rateAt(rate, 0, 9), rateAt(rate, 4, 9), rateAt(rate, 8, 9)], [0.125, 0.5, 0.5]);
});

test("a run of one step and a warm-up over the whole run are possible", () => {
  assert.equal(rateAt({ ...cosine, warmup: 0 }, 0, 1), 0.5);
  assert.equal(rateAt({ ...cosine, warmup: 3 }, 2, 3), 0.5);
});

test("the table holds rate and bias corrections, rounded once and flushed", () => {
  const table = scheduleTable({ ...cosine, final: 0 }, 50, ADAMW);
  assert.deepEqual(table.shape, [50, 3]);
  const values = numbers(table);
  for (const step of [0, 1, 17, 49]) {
    assert.equal(values[3 * step], Math.fround(rateAt({ ...cosine, final: 0 }, step, 50)));
    assert.equal(values[3 * step + 1], Math.fround(1 / (1 - 0.9 ** (step + 1))));
    assert.equal(values[3 * step + 2], Math.fround(1 / (1 - 0.999 ** (step + 1))));
  }
  assert.equal(values[3 * 49], 0);
  assert.ok(table.words.every(isFlushed));
});

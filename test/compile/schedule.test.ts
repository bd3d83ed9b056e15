import assert from "node:assert/strict";
import { test } from "node:test";
import { rateAt, ScheduleColumns } from "../../shared/compile/schedule.ts";
import { SourceGraph } from "../../shared/graph/graph.ts";
import { isFlushed } from "../../shared/numerics/flush.ts";
import { SettingError } from "../../shared/program/errors.ts";
import { numbers } from "../helpers/compile.ts";

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

test("a linear rate falls evenly, a stepped one by its factor", () => {
  const linear = { kind: "linear", peak: 0.5, warmup: 2, final: 0.2 } as const;
  const rates = Array.from({ length: 12 }, (_, step) => rateAt(linear, step, 12));
  assert.deepEqual(rates.slice(0, 3), [0.25, 0.5, 0.5]);
  for (let step = 3; step < 12; step++) assert.ok(Math.abs(rates[step - 1]! - rates[step]! - 0.4 / 9) < 1e-12);
  const stepped = { kind: "step", peak: 8, warmup: 1, every: 3, factor: 0.5 } as const;
  assert.deepEqual(
    Array.from({ length: 8 }, (_, step) => rateAt(stepped, step, 8)),
    [8, 8, 8, 8, 4, 4, 4, 2],
  );
});

test("the table holds every column once, rounded once and flushed", () => {
  const columns = new ScheduleColumns(new SourceGraph());
  const rate = columns.column("rate", (step) => rateAt({ ...cosine, final: 0 }, step, 50));
  const correction = columns.column("correction", (step) => 1 / (1 - 0.9 ** (step + 1)));
  assert.equal(
    columns.column("rate", () => 7),
    rate,
  );
  assert.notEqual(correction, rate);
  assert.deepEqual(columns.names, ["rate", "correction"]);
  const table = columns.table(50);
  assert.deepEqual(table.shape, [50, 2]);
  const values = numbers(table);
  for (const step of [0, 1, 17, 49]) {
    assert.equal(values[2 * step], Math.fround(rateAt({ ...cosine, final: 0 }, step, 50)));
    assert.equal(values[2 * step + 1], Math.fround(1 / (1 - 0.9 ** (step + 1))));
  }
  assert.equal(values[2 * 49], 0);
  assert.ok(table.words.every(isFlushed));
  columns.column("huge", () => 2 ** 21);
  assert.throws(
    () => columns.table(1),
    (error) => error instanceof SettingError && error.setting === "huge",
  );
});

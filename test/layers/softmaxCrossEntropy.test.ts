import assert from "node:assert/strict";
import { test } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { numbers } from "../helpers/compile.ts";
import { gradientProgram } from "../helpers/gradientCheck.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

const ROWS = 6;
const CLASSES = 9;

/** Loss and gradient of [6, 9] logits by the reference engine; row r has class (5 r + 1) mod 9. */
async function evaluate(logits: readonly number[]): Promise<{ loss: number; gradient: Float32Array; guard: number }> {
  const program = gradientProgram([[ROWS, CLASSES]], (_, [x]) => x!);
  const state = [{ dtype: 0, shape: [ROWS, CLASSES], words: floats(...logits) } as const];
  const result = await new ReferenceEngine(program).step({ state, batches: new Map(), schedule: new Map() });
  return { loss: result.loss, gradient: numbers(result.state[0]!), guard: result.guard };
}

function exact(logits: readonly number[]): { loss: number; gradient: number[] } {
  let loss = 0;
  const gradient: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    const z = logits.slice(row * CLASSES, (row + 1) * CLASSES).map(Math.fround);
    const top = Math.max(...z);
    const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const target = (row * 5 + 1) % CLASSES;
    loss += (Math.log(total) + top - z[target]!) / ROWS;
    gradient.push(...z.map((value, v) => (Math.exp(value - top) / total - (v === target ? 1 : 0)) / ROWS));
  }
  return { loss, gradient };
}

test("loss and gradient agree with binary64 for logits of every size and offset", async () => {
  const random = new Random(8);
  for (const [spread, offset] of [
    [1, 0],
    [1e-3, 0],
    [5, 3],
    [10, -100],
    [10, 900],
    [30, 0],
    [300, 0],
    [12_000, 0],
  ] as const) {
    const logits = Array.from({ length: ROWS * CLASSES }, () => offset + spread * (2 * random.unit() - 1));
    const [actual, expected] = [await evaluate(logits), exact(logits)];
    const scale = Math.max(1, Math.abs(expected.loss));
    assert.ok(Math.abs(actual.loss - expected.loss) < 3e-6 * scale, `${actual.loss} instead of ${expected.loss}`);
    for (const [i, g] of expected.gradient.entries()) {
      assert.ok(Math.abs(actual.gradient[i]! - g) < 1e-6, `${actual.gradient[i]} instead of ${g}, spread ${spread}`);
    }
  }
});

test("rows on either end of the range keep to themselves", async () => {
  const logits = Array.from({ length: ROWS * CLASSES }, (_, i) => (i < CLASSES ? -1000 : 1000) + (i % CLASSES));
  const [actual, expected] = [await evaluate(logits), exact(logits)];
  assert.ok(Math.abs(actual.loss - expected.loss) < 1e-5);
  for (const [i, g] of expected.gradient.entries()) assert.ok(Math.abs(actual.gradient[i]! - g) < 1e-6);
});

test("logits beyond the clip give a finite loss and a gradient that points to the target", async () => {
  const logits = Array.from({ length: ROWS * CLASSES }, (_, i) => (i % 2 === 0 ? 1e5 : -1e5));
  const { loss, gradient, guard } = await evaluate(logits);
  assert.ok(Number.isFinite(loss) && guard <= 2 ** 20);
  for (let row = 0; row < ROWS; row++) {
    const target = (row * 5 + 1) % CLASSES;
    const line = gradient.subarray(row * CLASSES, (row + 1) * CLASSES);
    assert.ok(line.every((g, v) => Number.isFinite(g) && (v === target ? g < 0 : g >= 0)));
  }
});

test("the loss is never below zero, however far the logits lie apart", async () => {
  const random = new Random(9);
  for (const spread of [1500, 2 ** 17, 2 ** 18, 2 ** 19]) {
    const logits = Array.from({ length: ROWS * CLASSES }, () => spread * (2 * random.unit() - 1));
    const { loss } = await evaluate(logits);
    assert.ok(loss >= 0, `${loss} for logits up to ${spread}`);
  }
});

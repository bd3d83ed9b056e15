import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { differentiate } from "../../shared/compile/differentiate.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { requireWellFormed } from "../../shared/job/validate.ts";
import { binaryCrossEntropy } from "../../shared/layers/binaryCrossEntropy.ts";
import { constant, state } from "../../shared/layers/leaf.ts";
import { meanSquaredError } from "../../shared/layers/meanSquaredError.ts";
import { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from "../../shared/layers/softmaxCrossEntropy.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { numbers } from "../helpers/compile.ts";
import { floats, ints } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

type Loss = (graph: SourceGraph, prediction: ValueId, target: ValueId) => ValueId;

interface Evaluated {
  readonly loss: number;
  readonly gradient: readonly number[];
}

/** Loss and gradient by the reference engine. */
async function evaluate(loss: Loss, shape: readonly number[], values: readonly number[], target: Tensor) {
  const graph = new SourceGraph();
  const prediction = state(graph, "y", shape);
  const value = loss(graph, prediction, constant(graph, "target", target));
  const [next] = differentiate(graph, value, [prediction]);
  const fields = [{ name: "unused", dtype: 1, offset: 0, width: 1, minimum: 0, maximum: 0 } as const];
  const entries = [{ value: prediction, next: next! }];
  const program = lower({ graph, state: entries, loss: value, logits: prediction, fields, scheduleColumns: [] });
  requireWellFormed(program);
  const tensor = { dtype: 0, shape, words: floats(...values) } as const;
  const none = { batches: new Map(), schedule: new Map(), random: new Map() };
  const result = await new ReferenceEngine(program).step({ state: [tensor], ...none });
  return { loss: result.loss, gradient: [...numbers(result.state[0]!)], guard: result.guard };
}

function assertClose(actual: Evaluated, expected: Evaluated, tolerance: number): void {
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
  assert.ok(near(actual.loss, expected.loss), `loss ${actual.loss} instead of ${expected.loss}`);
  for (const [i, g] of expected.gradient.entries())
    assert.ok(near(actual.gradient[i]!, g), `gradient ${i} is ${actual.gradient[i]} instead of ${g}`);
}

const random = new Random(41);
const values = (count: number, scale: number): number[] =>
  Array.from({ length: count }, () => Math.fround(scale * (2 * random.unit() - 1)));

describe("mean squared error", () => {
  const exact = (y: readonly number[], t: readonly number[]): Evaluated => ({
    loss: y.reduce((sum, value, i) => sum + (value - t[i]!) ** 2, 0) / y.length,
    gradient: y.map((value, i) => (2 * (value - t[i]!)) / y.length),
  });

  test("agrees with binary64 for errors of every size, over many pieces", async () => {
    for (const [count, scale] of [
      [1, 1],
      [12, 1e-3],
      [12, 500],
      [8192 + 3, 1],
    ] as const) {
      const [y, t] = [values(count, scale), values(count, scale)];
      const target = { dtype: 0, shape: [1, count], words: floats(...t) } as const;
      const loss: Loss = (graph, a, b) => meanSquaredError(graph, a, b, "loss");
      assertClose(await evaluate(loss, [count], y, target), exact(y, t), 3e-6);
    }
  });

  test("passes the guard with one great error among many, and takes integers", async () => {
    const y = [3000, ...values(99, 1)];
    const target = { dtype: 1, shape: [100], words: ints(...y.map(() => 1)) } as const;
    const loss: Loss = (graph, a, b) => meanSquaredError(graph, a, b, "loss");
    const result = await evaluate(loss, [100], y, target);
    assert.ok(result.guard <= 2 ** 20);
    assertClose(
      result,
      exact(
        y,
        y.map(() => 1),
      ),
      3e-6,
    );
  });
});

describe("binary cross-entropy", () => {
  const exact = (z: readonly number[], t: readonly number[]): Evaluated => ({
    loss: z.reduce((sum, x, i) => sum + Math.max(x, 0) - x * t[i]! + Math.log1p(Math.exp(-Math.abs(x))), 0) / z.length,
    gradient: z.map((x, i) => (1 / (1 + Math.exp(-x)) - t[i]!) / z.length),
  });

  test("agrees with binary64 for logits of every size and soft targets", async () => {
    for (const scale of [1e-4, 1, 12, 40, 5000]) {
      const z = values(24, scale);
      const t = z.map((_, i) => (i % 3 === 0 ? 0 : i % 3 === 1 ? 1 : 0.25));
      const target = { dtype: 0, shape: [24], words: floats(...t) } as const;
      const loss: Loss = (graph, a, b) => binaryCrossEntropy(graph, a, b, "loss");
      assertClose(await evaluate(loss, [4, 6], z, target), exact(z, t), 1e-6);
    }
  });
});

describe("softmax cross-entropy", () => {
  const CLASSES = 5;
  const withOptions =
    (options: SoftmaxCrossEntropyOptions): Loss =>
    (graph, a, b) =>
      softmaxCrossEntropy(graph, a, b, "loss", options);

  function exact(z: readonly number[], targets: readonly number[], smoothing: number, ignore: number): Evaluated {
    const counted = targets.filter((target) => target !== ignore).length;
    let loss = 0;
    const gradient = targets.flatMap((target, row) => {
      const line = z.slice(row * CLASSES, (row + 1) * CLASSES);
      if (target === ignore) return line.map(() => 0);
      const top = Math.max(...line);
      const total = line.reduce((sum, value) => sum + Math.exp(value - top), 0);
      return line.map((value, v) => {
        const wanted = (v === target ? 1 - smoothing : 0) + smoothing / CLASSES;
        loss += (wanted * (Math.log(total) + top - value)) / counted;
        return (Math.exp(value - top) / total - wanted) / counted;
      });
    });
    return { loss, gradient };
  }

  test("smooths and ignores at every position, as binary64 does", async () => {
    for (const [smoothing, scale] of [
      [0, 3],
      [0.1, 3],
      [0.5, 100],
    ] as const) {
      const targets = [1, -100, 4, 0, -100, 2];
      const z = values(6 * CLASSES, scale);
      const target = { dtype: 1, shape: [2, 3], words: ints(...targets) } as const;
      const actual = await evaluate(withOptions({ smoothing, ignore: -100 }), [2, 3, CLASSES], z, target);
      assertClose(actual, exact(z, targets, smoothing, -100), 3e-6);
    }
  });

  test("is nothing where no row counts, and a share of itself for a micro-batch", async () => {
    const z = values(2 * CLASSES, 1);
    const none = { dtype: 1, shape: [2, 1], words: ints(3, 3) } as const;
    const idle = await evaluate(withOptions({ ignore: 3 }), [2, CLASSES], z, none);
    assert.equal(idle.loss, 0);
    assert.ok(idle.gradient.every((g) => g === 0));
    const target = { dtype: 1, shape: [2, 1], words: ints(3, 1) } as const;
    for (const ignore of [undefined, 4]) {
      const whole = await evaluate(withOptions({ ignore }), [2, CLASSES], z, target);
      const quarter = await evaluate(withOptions({ ignore, share: 0.25 }), [2, CLASSES], z, target);
      const expected = { loss: whole.loss / 4, gradient: whole.gradient.map((g) => g / 4) };
      assertClose(quarter, expected, 1e-7);
    }
  });
});

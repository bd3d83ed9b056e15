/** Softmax where float32 models bring it: masks, rows far from zero, rows of one class, axes longer than one comparison. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import type { SourceGraph, ValueId } from "../../shared/graph/graph.ts";
import { validate } from "../../shared/job/validate.ts";
import { add } from "../../shared/layers/add.ts";
import { constant } from "../../shared/layers/leaf.ts";
import { logSoftmax, softmax } from "../../shared/layers/softmax.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { numbers } from "../helpers/compile.ts";
import { gradientProgram } from "../helpers/gradientCheck.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

type Layer = (graph: SourceGraph, x: ValueId) => ValueId;

/** What the layer makes of rows, and the gradient of a loss on it. */
async function evaluate(layer: Layer, rows: readonly (readonly number[])[]) {
  const shape = [rows.length, rows[0]!.length];
  const program = gradientProgram([shape], (graph, [x]) => layer(graph, x!));
  assert.deepEqual(validate(program), []);
  const state = [{ dtype: Dtype.float32, shape, words: floats(...rows.flat()) }];
  const engine = new ReferenceEngine(program);
  const { outputs, guard } = await engine.trace({ state, batches: new Map(), schedule: new Map() });
  const gradient = numbers(outputs[program.state[0]!.source!]!);
  return { values: numbers(outputs[program.logits!]!), gradient, guard };
}

const plain: Layer = (graph, x) => softmax(graph, x, 1, "softmax");

test("a causal mask leaves exact zeros, in the values and in the gradient", async () => {
  const size = 9;
  const isMasked = (at: number) => at % size > Math.floor(at / size);
  const words = Uint32Array.from({ length: size * size }, (_, at) => floats(isMasked(at) ? -(2 ** 20) : 0)[0]!);
  const random = new Random(4);
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => 20 * random.unit() - 10));
  const { values, gradient } = await evaluate((graph, x) => {
    const mask = constant(graph, "mask", { dtype: Dtype.float32, shape: [size, size], words });
    return plain(graph, add(graph, x, mask, "masked"));
  }, rows);
  for (let row = 0; row < size; row++) {
    const kept = rows[row]!.slice(0, row + 1).map((z) => Math.exp(z - 10));
    const total = kept.reduce((sum, each) => sum + each, 0);
    for (let column = 0; column < size; column++) {
      const at = row * size + column;
      if (isMasked(at)) assert.deepEqual([values[at], gradient[at]], [0, 0]);
      else assert.ok(Math.abs(values[at]! - kept[column]! / total) < 3e-6);
    }
  }
});

test("adding a number to a row changes nothing but roundings of its elements", async () => {
  const random = new Random(5);
  // Multiples of 1/16, which stay exact beside 100000.
  const row = Array.from({ length: 70 }, () => Math.round(64 * random.unit()) / 16);
  const shifts = [0, 1000, -1000, 100_000, -100_000];
  const { values, guard } = await evaluate(
    plain,
    shifts.map((shift) => row.map((z) => z + shift)),
  );
  assert.ok(guard <= 2 ** 20);
  for (let at = 0; at < values.length; at++) assert.equal(values[at], values[at % row.length]);
});

test("a row that is masked whole is uniform, and a single class is certain", async () => {
  const { values } = await evaluate(plain, [new Array<number>(5).fill(-(2 ** 20))]);
  for (const value of values) assert.ok(Math.abs(value - 0.2) < 1e-6);
  const { values: single } = await evaluate((graph, x) => softmax(graph, x, 0, "softmax"), [[3, -700, 0]]);
  for (const value of single) assert.ok(Math.abs(value - 1) < 1e-6);
});

test("log-softmax has its logarithm's precision far below the maximum too", async () => {
  const { values } = await evaluate((graph, x) => logSoftmax(graph, x, 1, "log"), [[0, -30, -500, 1]]);
  const total = Math.log(1 + Math.exp(-1));
  for (const [at, z] of [-1, -31, -501, 0].entries()) {
    assert.ok(Math.abs(values[at]! - (z - total)) < 1e-6 * (1 + Math.abs(z)), `${values[at]}`);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { expNegative, logarithm } from "../../shared/layers/exponential.ts";
import { tanhExpression } from "../../shared/layers/tanh.ts";
import { apply, points, worstRelative } from "../helpers/mapFunction.ts";
import { Random } from "../helpers/random.ts";

test("exp(-t) is within 2e-6 on [0, 20], and within 1e-6 near its greatest values", () => {
  const inputs = points(0, 20, 1);
  assert.ok(worstRelative(inputs, apply(expNegative, inputs), (t) => Math.exp(-t)) < 2e-6);
  const small = points(-1 / 32, 2, 2);
  assert.ok(worstRelative(small, apply(expNegative, small), (t) => Math.exp(-t)) < 1e-6);
});

test("exp(-t) stays in (0, 2) whatever t is", () => {
  for (const value of apply(expNegative, Float32Array.of(-1e30, -1, 0, 20, 21, 1e30))) {
    assert.ok(value > 1e-9 && value < 2, String(value));
  }
});

test("log is within 5e-7 from 1 to 2^31", () => {
  const random = new Random(3);
  const inputs = Float32Array.from({ length: 60_000 }, (_, i) =>
    i % 2 === 0 ? 1 + 2 ** -random.between(0, 23) : 2 ** (31 * random.unit()),
  );
  for (let power = 0; power <= 31; power++) inputs[power] = 2 ** power;
  assert.ok(worstRelative(inputs, apply(logarithm, inputs), Math.log) < 5e-7);
  assert.equal(apply(logarithm, Float32Array.of(1))[0], 0);
});

test("log is clipped outside its domain", () => {
  const [zero, negative, great] = apply(logarithm, Float32Array.of(0, -5, 2 ** 40));
  assert.ok(Math.abs(zero! - Math.log(0.75)) < 1e-6 && zero === negative);
  assert.ok(Math.abs(great! - 31 * Math.LN2) < 1e-5);
});

test("tanh is within 4e-7, odd, and at most one rounding above 1", () => {
  const inputs = points(-12, 12, 4);
  const values = apply(tanhExpression, inputs);
  assert.ok(worstRelative(inputs, values, Math.tanh) < 4e-7);
  assert.ok(values.every((value) => Math.abs(value) <= 1 + 2 ** -22));
  const mirrored = apply(
    tanhExpression,
    inputs.map((x) => -x),
  );
  assert.ok(values.every((value, i) => value === -mirrored[i]!));
  const [zero, tiny, great] = apply(tanhExpression, Float32Array.of(0, 1e-40, 1e30));
  assert.deepEqual([zero, tiny], [0, 0]);
  assert.ok(Math.abs(great! - 1) < 3e-7);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { expNegative, exponential, logarithm, logarithmOfOnePlus } from "../../shared/layers/exponential.ts";
import { LOG } from "../../shared/layers/log.ts";
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

test("e^x is within 4e-6 for x in ±27.7, and within 3e-6 up to 8", () => {
  const inputs = points(-27.7, 27.7, 21);
  assert.ok(worstRelative(inputs, apply(exponential, inputs), Math.exp) < 4e-6);
  const small = points(-8, 8, 22);
  assert.ok(worstRelative(small, apply(exponential, small), Math.exp) < 3e-6);
  const [least, most] = apply(exponential, Float32Array.of(-1e30, 1e30));
  assert.ok(least! > 9e-13 && most! < 1.1e12);
});

test("log(1 + u) is within 2e-7 for u from 0 to 1", () => {
  const inputs = points(0, 1, 23);
  const values = apply(logarithmOfOnePlus, inputs);
  assert.ok(inputs.every((u, i) => Math.abs(values[i]! - Math.log1p(u)) < 2e-7));
});

test("log is within 2e-6 from 2^-31 to 2^31, and 5e-7 relative beyond 2", () => {
  const random = new Random(24);
  const inputs = Float32Array.from({ length: 60_000 }, () => 2 ** (62 * random.unit() - 31));
  const values = apply(LOG.forward, inputs);
  for (const [i, x] of inputs.entries()) {
    const error = Math.abs(values[i]! - Math.log(x));
    assert.ok(error < 2e-6 || (x > 2 && error < 5e-7 * Math.log(x)), `log ${x} is off by ${error}`);
  }
  assert.ok(Math.abs(apply(LOG.forward, Float32Array.of(0))[0]! + 31 * Math.LN2) < 1e-5);
});

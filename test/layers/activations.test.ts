import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SourceGraph, ValueId } from "../../shared/graph/graph.ts";
import { validate } from "../../shared/job/validate.ts";
import { erf, erfExpression } from "../../shared/layers/erf.ts";
import { type GeluForm, gelu } from "../../shared/layers/gelu.ts";
import { sigmoid, sigmoidExpression } from "../../shared/layers/sigmoid.ts";
import { silu } from "../../shared/layers/silu.ts";
import { checkGradients } from "../helpers/gradientCheck.ts";
import { expressionOf } from "../helpers/layerFunction.ts";
import { apply, points, worstRelative } from "../helpers/mapFunction.ts";

/** erf by its series, or by the continued fraction of its complement. */
function exactErf(x: number): number {
  const t = Math.abs(x);
  if (t < 3) {
    let [sum, term] = [0, t];
    for (let k = 0; Math.abs(term) > 1e-18; k++) {
      sum += term / (2 * k + 1);
      term *= (-t * t) / (k + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = t;
  for (let k = 60; k > 0; k--) fraction = t + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-t * t) / (fraction * Math.sqrt(Math.PI)));
}

const normal = (x: number) => (1 + exactErf(x / Math.SQRT2)) / 2;
const GELU: Record<GeluForm, (x: number) => number> = {
  none: (x) => x * normal(x),
  tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** Greatest error as a share of 1 + |x|, which is how great these functions get. */
function worst(inputs: Float32Array, actual: Float32Array, exact: (x: number) => number): number {
  return inputs.reduce((most, x, i) => Math.max(most, Math.abs(actual[i]! - exact(x)) / (1 + Math.abs(x))), 0);
}

test("erf is within 4e-7 relative, odd, and keeps to [-1, 1] up to a rounding", () => {
  const inputs = points(-5, 5, 11);
  const values = apply(erfExpression, inputs);
  assert.ok(worstRelative(inputs, values, exactErf) < 4e-7);
  assert.ok(values.every((value) => Math.abs(value) <= 1 + 2 ** -22));
  const mirrored = apply(
    erfExpression,
    inputs.map((x) => -x),
  );
  assert.ok(values.every((value, i) => value === -mirrored[i]!));
});

test("sigmoid is within 2e-6 relative down to -20, and never 0 or above 1", () => {
  const inputs = points(-20, 30, 12);
  assert.ok(worstRelative(inputs, apply(sigmoidExpression, inputs), logistic) < 2e-6);
  for (const value of apply(sigmoidExpression, Float32Array.of(-1e30, -25, 25, 1e30))) {
    assert.ok(value > 1e-9 && value <= 1, String(value));
  }
  assert.equal(apply(sigmoidExpression, Float32Array.of(0))[0], 0.5);
});

for (const form of ["none", "tanh"] as const) {
  test(`gelu (${form}) is within 4e-7 of 1 + |x|, and its derivative within 1e-6`, () => {
    const layer = (graph: SourceGraph, x: ValueId) => gelu(graph, x, form, "gelu");
    const inputs = points(-9, 9, 13);
    assert.ok(worst(inputs, apply(expressionOf(layer), inputs), GELU[form]) < 4e-7);
    const slope = (x: number) => (GELU[form](x + 1e-5) - GELU[form](x - 1e-5)) / 2e-5;
    assert.ok(worst(inputs, apply(expressionOf(layer, 1), inputs), slope) < 1e-6);
    const [low, high] = apply(expressionOf(layer), Float32Array.of(-1e4, 1e4));
    assert.ok(Math.abs(low!) < 0.01 && Math.abs(high! - 1e4) < 0.01);
  });
}

test("silu is within 1e-6 of 1 + |x|, and its derivative too", () => {
  for (const alpha of [1, 1.702]) {
    const layer = (graph: SourceGraph, x: ValueId) => silu(graph, x, alpha, "silu");
    const inputs = points(-20, 20, 14);
    assert.ok(worst(inputs, apply(expressionOf(layer), inputs), (x) => x * logistic(alpha * x)) < 1e-6);
    const slope = (x: number) => {
      const s = logistic(alpha * x);
      return s + alpha * x * s * (1 - s);
    };
    assert.ok(worst(inputs, apply(expressionOf(layer, 1), inputs), slope) < 2e-6);
  }
});

describe("gradients agree with central differences, in programs without findings", () => {
  const layers: Record<string, (graph: SourceGraph, x: ValueId) => ValueId> = {
    erf: (graph, x) => erf(graph, x, "erf"),
    sigmoid: (graph, x) => sigmoid(graph, x, "sigmoid"),
    silu: (graph, x) => silu(graph, x, 1, "silu"),
    swish: (graph, x) => silu(graph, x, 1.5, "swish"),
    gelu: (graph, x) => gelu(graph, x, "none", "gelu"),
    "gelu by tanh": (graph, x) => gelu(graph, x, "tanh", "gelu"),
  };
  for (const [name, layer] of Object.entries(layers)) {
    test(`of ${name}, in one Map each way`, () => {
      // In the place of the copy that makes the logits, and together with the Map that makes the loss's gradient.
      const program = checkGradients([[3, 4]], (graph, [x]) => layer(graph, x!));
      assert.deepEqual(validate(program), []);
      const maps = program.operators.filter(({ operator }) => operator.family === "map");
      const plain = checkGradients([[3, 4]], (_, [x]) => x!).operators;
      assert.equal(maps.length, plain.filter(({ operator }) => operator.family === "map").length);
    });
  }
});

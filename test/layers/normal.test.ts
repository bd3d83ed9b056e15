/** Distributions of random numbers, against quantiles computed in binary64. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { importModel } from "../../shared/import/import.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { requireWellFormed } from "../../shared/job/validate.ts";
import { constant, state } from "../../shared/layers/leaf.ts";
import { bernoulli, normal, uniform } from "../../shared/layers/normal.ts";
import { NOT_RANDOM } from "../../shared/layers/random.ts";
import { slice } from "../../shared/layers/slice.ts";
import type { OnnxAttribute, OnnxModel } from "../../shared/onnx/model.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { ModelError } from "../../shared/program/errors.ts";
import { floats } from "../helpers/operators.ts";

/** The values of a vector that `build` makes, at step 0; from `numbers` in place of the random ones where they are given. */
async function valuesOf(build: (graph: SourceGraph) => ValueId, numbers?: readonly number[]): Promise<number[]> {
  const graph = new SourceGraph();
  const logits = build(graph);
  const loss = slice(graph, logits, 0, 0, 1, 1, "loss");
  const fields = [{ name: "unused", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
  const held = [{ value: state(graph, "held", [1]), next: null }];
  const program = lower({ graph, state: held, loss, logits, fields, scheduleColumns: [] });
  requireWellFormed(program);
  const nothing = { samples: new Uint32Array(1), schedule: new Uint32Array(0), seed: 9n, steps: 1, interval: 1 };
  const inputs = stepInputs({ program, ...nothing }, 0, [{ dtype: Dtype.float32, shape: [1], words: floats(0) }]);
  const random = new Map(
    [...inputs.random!].map(([at, tensor]) => [
      at,
      numbers === undefined ? tensor : { ...tensor, words: floats(...numbers) },
    ]),
  );
  const { words } = (await new ReferenceEngine(program).trace({ ...inputs, random })).outputs[program.logits!]!;
  return [...new Float32Array(words.buffer, words.byteOffset, words.length)];
}

/** Probability that a normal number is below z < 0: a continued fraction far out, a series near 0. */
function lowerTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < -2.5) {
    let fraction = 0;
    for (let k = 80; k > 0; k--) fraction = k / (-z + fraction);
    return density / (-z + fraction);
  }
  let term = z;
  let sum = z;
  for (let k = 1; k < 100; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + density * sum;
}

test("a normal number is the quantile of the middle of its interval", async () => {
  const places = [
    0,
    1,
    2,
    3,
    10,
    100,
    1000,
    5000,
    28_000,
    29_000,
    100_000,
    2 ** 20,
    2 ** 22,
    6_000_000,
    2 ** 23 - 1000,
    2 ** 23 - 2,
  ];
  const all = [...places, ...places.map((k) => 2 ** 24 - 1 - k)];
  const values = await valuesOf(
    (graph) => normal(graph, [all.length], 0, "z"),
    all.map((k) => k * 2 ** -24),
  );
  for (const [i, k] of places.entries()) {
    const z = values[i]!;
    assert.equal(values[i + places.length], -z, "symmetric");
    const wanted = (k + 0.5) * 2 ** -24;
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const error = (lowerTail(z) - wanted) / density;
    assert.ok(Math.abs(error) < 2e-6 * Math.max(Math.abs(z), 0.01), `place ${k}: ${z} is off by ${error}`);
  }
});

test("normal numbers have the moments and the tails of their distribution", async () => {
  const count = 60_000;
  const values = await valuesOf((graph) => normal(graph, [count], 3, "z"));
  const moment = (n: number) => values.reduce((sum, z) => sum + z ** n, 0) / count;
  for (const [n, expected, tolerance] of [
    [1, 0, 0.02],
    [2, 1, 0.03],
    [3, 0, 0.06],
    [4, 3, 0.2],
  ] as const)
    assert.ok(Math.abs(moment(n) - expected) < tolerance, `moment ${n} is ${moment(n)}`);
  const beyond = values.filter((z) => Math.abs(z) > 3).length;
  assert.ok(beyond > 100 && beyond < 230, `${beyond} of ${count} beyond 3`);
});

test("uniform numbers fill their bounds, and a probability is met", async () => {
  const values = await valuesOf((graph) => uniform(graph, [10_000], -3, 5, 1, "u"));
  assert.ok(values.every((value) => value >= -3 && value < 5));
  assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) / 10_000 - 1) < 0.1);
  const probabilities = floats(...Array.from({ length: 9000 }, (_, i) => [0, 0.3, 1][i % 3]!));
  const drawn = await valuesOf((graph) => {
    const tensor = { dtype: Dtype.float32, shape: [9000], words: probabilities };
    return bernoulli(graph, constant(graph, "p", tensor), 2, "b");
  });
  const ones = [0, 1, 2].map((kind) => drawn.filter((value, i) => i % 3 === kind && value === 1).length);
  assert.ok(drawn.every((value) => value === 0 || value === 1));
  assert.deepEqual([ones[0], ones[2]], [0, 3000]);
  assert.ok(Math.abs(ones[1]! - 900) < 120, `${ones[1]}`);
});

test("evaluation takes the mean", async () => {
  const fixed = [NOT_RANDOM, NOT_RANDOM];
  assert.deepEqual(await valuesOf((graph) => normal(graph, [2], 0, "z"), fixed), [0, 0]);
  assert.deepEqual(await valuesOf((graph) => uniform(graph, [2], 1, 4, 0, "u"), fixed), [2.5, 2.5]);
  const half = (graph: SourceGraph) =>
    constant(graph, "p", { dtype: Dtype.float32, shape: [2], words: floats(0.5, 0.25) });
  assert.deepEqual(await valuesOf((graph) => bernoulli(graph, half(graph), 0, "b"), fixed), [0.5, 0.25]);
});

describe("ONNX's random operators", () => {
  const modelOf = (
    operator: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute>,
  ): OnnxModel => ({
    ...{ irVersion: 8, producer: "", operatorSets: [{ domain: "", version: 17 }] },
    graph: {
      ...{ name: "random", initializers: [] },
      nodes: [{ name: "node", operator, domain: "", inputs, outputs: ["y"], attributes }],
      inputs: inputs.map((name) => ({ name, type: 1, dimensions: [400] })),
      outputs: [{ name: "y", type: 0, dimensions: null }],
    },
  });
  const imported = (operator: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}) =>
    valuesOf((graph) => {
      const half = { dtype: Dtype.float32, shape: [400], words: floats(...new Array<number>(400).fill(0.5)) };
      const given = new Map(inputs.map((name) => [name, constant(graph, name, half)]));
      return importModel(graph, modelOf(operator, inputs, attributes), { inputs: given }).outputs.get("y")!;
    });
  const float = (value: number): OnnxAttribute => ({ kind: "float", value });
  const shape: OnnxAttribute = { kind: "ints", value: [400] };

  test("draw from what their attributes say", async () => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const values of [
      await imported("RandomNormalLike", ["x"], { mean: float(7), scale: float(2) }),
      await imported("RandomNormal", [], { shape, mean: float(7), scale: float(2) }),
    ]) {
      assert.ok(Math.abs(mean(values) - 7) < 0.4);
      assert.ok(Math.abs(mean(values.map((value) => (value - 7) ** 2)) - 4) < 1);
    }
    for (const values of [
      await imported("RandomUniformLike", ["x"], { low: float(-1), high: float(3) }),
      await imported("RandomUniform", [], { shape, low: float(-1), high: float(3) }),
    ]) {
      assert.ok(values.every((value) => value >= -1 && value < 3));
      assert.ok(Math.abs(mean(values) - 1) < 0.25);
    }
    const drawn = await imported("Bernoulli", ["x"]);
    assert.ok(drawn.every((value) => value === 0 || value === 1) && Math.abs(mean(drawn) - 0.5) < 0.1);
    assert.ok(Math.abs(mean(await imported("RandomNormalLike", ["x"]))) < 0.2);
  });

  test("are refused in other types, without a shape, and beyond all bounds", async () => {
    for (const [operator, inputs, attributes] of [
      ["RandomNormalLike", ["x"], { dtype: { kind: "int", value: 11 } }],
      ["RandomNormal", [], {}],
      ["RandomUniform", [], { shape, high: float(Number.POSITIVE_INFINITY) }],
    ] as const)
      await assert.rejects(imported(operator, inputs, attributes), ModelError);
  });
});

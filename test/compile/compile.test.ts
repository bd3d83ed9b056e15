import assert from "node:assert/strict";
import { test } from "node:test";
import { mlpModel, mlpParameters, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import { rateAt } from "../../shared/compile/schedule.ts";
import type { SupervisedSettings } from "../../shared/compile/supervised.ts";
import { tokenFields } from "../../shared/data/text.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { MalformedProgramError } from "../../shared/job/validate/finding.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxModel } from "../../shared/onnx/model.ts";
import { ModelError, SettingError } from "../../shared/program/errors.ts";
import { ADAMW, jobOf, numbers, randomSamples, run, settings, TINY } from "../helpers/compile.ts";
import { lossAndGradient, Optimizer64 } from "../helpers/training64.ts";

const STEPS = 30;

test("30 steps agree with the same training in plain binary64", async () => {
  const chosen = settings(TINY, { steps: STEPS });
  const compiled = compileTraining(chosen);
  const job = jobOf(compiled, randomSamples(TINY, 50, 3), STEPS);
  requireWellFormedJob(job, compiled.initialState);

  const names = [...mlpParameters(TINY).keys()];
  const weights = Object.fromEntries(
    names.map((name, at) => [name, Float64Array.from(numbers(compiled.initialState[at]!))]),
  );
  const optimizer = new Optimizer64(weights, ADAMW);
  const expected: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const batches = [...sourceOutputs(job, step).batches.values()];
    const tokens = batches.find(({ shape }) => shape[1] === TINY.context)!.words;
    const targets = batches.find(({ shape }) => shape[1] === 1)!.words;
    const rows = Array.from({ length: chosen.batch }, (_, row) => [
      ...tokens.subarray(row * TINY.context, (row + 1) * TINY.context),
    ]);
    const { loss, gradient } = lossAndGradient(TINY, weights, rows, [...targets]);
    expected.push(loss);
    optimizer.step(weights, gradient, rateAt(chosen.rate, step, STEPS));
  }

  const state = await run(job, compiled.initialState, STEPS, (step, loss) => {
    assert.ok(Math.abs(loss - expected[step]!) < 1e-5, `step ${step}: ${loss} instead of ${expected[step]}`);
  });
  assert.ok(expected.at(-1)! < expected[0]! - 0.3, "the training learns something");
  const parts = [weights, optimizer.m, optimizer.v];
  for (const [at, { name }] of compiled.program.state.entries()) {
    const part = parts[Math.floor(at / names.length)]!;
    const reference = part[names[at % names.length]!]!;
    const scale = Math.max(...reference.map(Math.abs));
    for (const [i, value] of numbers(state[at]!).entries()) {
      assert.ok(Math.abs(value - reference[i]!) < 2e-4 * scale, `${name}[${i}]: ${value} instead of ${reference[i]}`);
    }
  }
});

test("state, fields and schedule columns are named and ordered", () => {
  const { program, initialState, schedule } = compileTraining(settings(TINY));
  const names = [...mlpParameters(TINY).keys()];
  assert.deepEqual(
    program.state.map(({ name }) => name),
    [...names, ...names.map((name) => `${name}.m`), ...names.map((name) => `${name}.v`)],
  );
  assert.deepEqual(
    program.state.map(({ shape }) => shape),
    [1, 2, 3].flatMap(() => [...mlpParameters(TINY).values()]),
  );
  assert.ok(program.state.every(({ source }) => source !== null));
  assert.ok(initialState.slice(names.length).every(({ words }) => words.every((word) => word === 0)));
  assert.ok(numbers(initialState[1]!).some((value) => value !== 0));
  assert.deepEqual(program.sample, {
    words: TINY.context + 1,
    fields: [
      { name: "input", dtype: 1, offset: 0, width: TINY.context, minimum: 0, maximum: TINY.vocabulary - 1 },
      { name: "target", dtype: 1, offset: TINY.context, width: 1, minimum: 0, maximum: TINY.vocabulary - 1 },
    ],
  });
  assert.deepEqual(program.scheduleColumns, ["rate", "correction1", "correction2"]);
  assert.deepEqual(schedule.shape, [30, 3]);
  assert.equal(program.operators[program.loss]!.name, "loss");
  assert.equal(program.operators[program.logits!]!.name, "fc3.out");
  for (const name of [
    "input",
    "target",
    "fc1.dot",
    "fc1.tanh",
    "fc1.weight.peak",
    "fc1.weight.grad",
    "fc2.bias.m.next",
  ]) {
    assert.ok(
      program.operators.some((operator) => operator.name === name),
      `there is an operator ${name}`,
    );
  }
});

test("a tensor has one peak, shared by every Dot and Sum that reads it", () => {
  const { program } = compileTraining(settings(TINY));
  const measured = program.operators.flatMap(({ operator }) =>
    operator.family === "peak" && operator.mode === 1 ? [JSON.stringify(operator.operands[0].reference)] : [],
  );
  assert.equal(new Set(measured).size, measured.length);
  const read = program.operators.flatMap(({ operator }) =>
    operator.family === "dot" ? operator.operands.slice(0, 2).map(({ reference }) => JSON.stringify(reference)) : [],
  );
  assert.ok(read.length > new Set(read).size, "forward and backward read the same tensors");
  assert.ok(read.every((reference) => measured.includes(reference)));
});

test("compiling is a function of its input", () => {
  assert.deepEqual(compileTraining(settings(TINY)), compileTraining(settings(TINY)));
});

test("weights are flushed, and weights that are no numbers are refused", () => {
  const compiled = (value: number) => {
    const weights = mlpWeights(TINY, 5n);
    weights.get("embedding.weight")![0] = value;
    return compileTraining(settings(TINY, { model: encodeModel(mlpModel(TINY, weights)) }));
  };
  assert.equal(compiled(1e-40).initialState[0]!.words[0], 0);
  assert.equal(compiled(-0).initialState[0]!.words[0], 0);
  assert.equal(numbers(compiled(0.1).initialState[0]!)[0], Math.fround(0.1));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 21]) {
    assert.throws(
      () => compiled(value),
      (error) => error instanceof ModelError && /word 0 of "embedding.weight"/.test(error.message),
    );
  }
});

test("settings that make no sense are refused by name", () => {
  const cases: [string, Parameters<typeof settings>[1]][] = [
    ["batch", { batch: 0 }],
    ["batch", { batch: 1.5 }],
    ["steps", { steps: 0 }],
    ["fields", { fields: tokenFields(3, 7).slice(0, 1) }],
    ["accumulate", { accumulate: 3 }],
    ["train", { train: ["fc9.*"] }],
    ["freeze", { freeze: ["*.weights"] }],
    ["optimizer.groups.0", { optimizer: { ...ADAMW, groups: [{ match: ["*.gain"] }] } }],
    ["optimizer.nesterov", { optimizer: { kind: "sgd", momentum: 0, nesterov: true, weightDecay: 0 } }],
    ["rate.every", { rate: { kind: "step", peak: 0.1, warmup: 0, every: 0, factor: 0.5 } }],
    ["optimizer.beta1", { optimizer: { ...ADAMW, beta1: 1 } }],
    ["optimizer.beta2", { optimizer: { ...ADAMW, beta2: -0.1 } }],
    ["optimizer.epsilon", { optimizer: { ...ADAMW, epsilon: 0 } }],
    ["optimizer.weightDecay", { optimizer: { ...ADAMW, weightDecay: Number.NaN } }],
    ["rate.peak", { rate: { kind: "constant", peak: 0, warmup: 0, final: 0 } }],
    ["rate.final", { rate: { kind: "cosine", peak: 0.1, warmup: 0, final: 2 } }],
    ["rate.warmup", { rate: { kind: "cosine", peak: 0.1, warmup: 31, final: 0 } }],
  ];
  for (const [setting, changes] of cases) {
    assert.throws(
      () => compileTraining(settings(TINY, changes)),
      (error) => error instanceof SettingError && error.setting === setting,
      setting,
    );
  }
});

test("a vocabulary that the model has no row or no logit for is refused", () => {
  assert.throws(
    () => compileTraining(settings(TINY, { fields: tokenFields(3, 8) })),
    (error) => error instanceof ModelError && error.operator === "Gather" && /7 rows/.test(error.message),
  );
});

/** The tiny model with changed nodes and initializers. */
function changed(change: (model: OnnxModel["graph"]) => Partial<OnnxModel["graph"]>): SupervisedSettings {
  const model = decodeModel(settings(TINY).model);
  return settings(TINY, { model: encodeModel({ ...model, graph: { ...model.graph, ...change(model.graph) } }) });
}

test("a weight that is used as embedding and as output matrix gets both gradients", () => {
  const sizes = { ...TINY, hidden: [6, TINY.embedding] };
  const tied = (tie: boolean) => {
    const { graph, ...rest } = decodeModel(settings(sizes).model);
    const nodes = graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (tie && input === "fc3.weight" ? "embedding.weight" : input)),
    }));
    return compileTraining(settings(sizes, { model: encodeModel({ ...rest, graph: { ...graph, nodes } }) }));
  };
  const { program, initialState } = tied(true);
  assert.equal(program.state.length, tied(false).program.state.length - 3);
  const job = jobOf(tied(true), randomSamples(sizes, 9, 1), 30);
  requireWellFormedJob(job, initialState);
  const families = program.operators
    .filter(({ name }) => /^embedding\.weight\.grad(\.\d)?$/.test(name))
    .map(({ operator }) => operator.family);
  assert.deepEqual(families.sort(), ["dot", "map", "sumByIndex"]);
});

test("a model whose numbers could overflow is malformed, by the operator's name", () => {
  const huge = changed(({ nodes }) => ({
    nodes: nodes.map((node) =>
      node.operator === "Gemm"
        ? { ...node, attributes: { ...node.attributes, alpha: { kind: "float", value: 1e30 } } }
        : node,
    ),
  }));
  assert.throws(
    () => compileTraining(huge),
    (error) => error instanceof MalformedProgramError && /fc1\.tanh.*overflow/.test(error.message),
  );
});

test("a parameter with the name of another's moment is refused", () => {
  const rename = (name: string) => (name === "fc1.bias" ? "fc1.weight.m" : name);
  const clash = changed(({ nodes, initializers }) => ({
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
    initializers: initializers.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
  }));
  assert.throws(
    () => compileTraining(clash),
    (error) => error instanceof ModelError && /"fc1.weight.m" is both/.test(error.message),
  );
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { compileEvaluation, compileTraining } from "../../shared/compile/compile.ts";
import type { SupervisedSettings } from "../../shared/compile/supervised.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import type { Program, SampleField, Tensor } from "../../shared/program/program.ts";
import { ADAMW, numbers } from "../helpers/compile.ts";
import { OnnxBuilder } from "../helpers/onnxModel.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

const BATCH = 4;
const SIDE = 6;
const range = { dtype: 0, minimum: -2, maximum: 2 } as const;
const random = new Random(8);

const common = { batch: BATCH, steps: 2, order: "sequential", optimizer: ADAMW } as const;
const rate = { kind: "constant", peak: 0.01, warmup: 0 } as const;

function withBatchNorm(): SupervisedSettings {
  const fields: SampleField[] = [
    { name: "input", offset: 0, width: SIDE * SIDE, ...range },
    { name: "target", offset: SIDE * SIDE, width: 1, dtype: 1, minimum: 0, maximum: 3 },
  ];
  const model = readFileSync(path.join(import.meta.dirname, "./pytorch/vectors/resnet.onnx"));
  return { ...common, model, fields, rate, loss: { kind: "softmaxCrossEntropy" } };
}

function withDropout(): SupervisedSettings {
  const fields: SampleField[] = [
    { name: "input", offset: 0, width: 8, ...range },
    { name: "target", offset: 8, width: 1, ...range },
  ];
  const model = new OnnxBuilder();
  const dropped = model.node("Dropout", [model.input("input", "batch", 8), model.constant(0.5), model.truth(true)]);
  model.node("MatMul", [dropped, model.weight("w", [8, 1], [1, 1, 1, 1, 1, 1, 1, 1])], {}, "output");
  model.output("output", "batch", 1);
  return { ...common, model: model.bytes(), fields, rate, loss: { kind: "meanSquaredError" }, accumulate: 2 };
}

/** The logits of the first batch. */
async function logits(program: Program, samples: Uint32Array, schedule: Uint32Array, state: readonly Tensor[]) {
  const job: Job = { program, samples, schedule, seed: 3n, steps: 1, interval: 1 };
  const { outputs } = await new ReferenceEngine(program).trace(stepInputs(job, 0, state));
  return numbers(outputs[program.logits!]!);
}

const samplesOf = (rows: number, width: number, target: () => number): number[][] =>
  Array.from({ length: rows }, () => [...Array.from({ length: width }, () => 2 * random.unit() - 1), target()]);

describe("the evaluation of a model", () => {
  it("drops nothing, takes the whole batch at once, and reads the trained state by name", async () => {
    const settings = withDropout();
    const training = compileTraining(settings);
    const { program, kept } = compileEvaluation(settings, training.program);
    assert.ok(program.operators.every(({ operator }) => operator.family !== "random"));
    assert.deepEqual(program.scheduleColumns, []);
    const streams = training.program.operators.flatMap(({ operator }) =>
      operator.family === "random" ? [operator.stream] : [],
    );
    assert.equal(streams.length, 2, "one for each micro-batch");
    assert.equal(new Set(streams).size, 2, "with other numbers");
    const rows = samplesOf(BATCH, 8, () => 0);
    const samples = floats(...rows.flat());
    const sums = rows.map((row) => row.reduce((sum, x) => sum + x));
    const evaluated = await logits(
      program,
      samples,
      new Uint32Array(0),
      kept.map((index) => training.initialState[index]!),
    );
    for (const [row, sum] of sums.entries()) assert.ok(Math.abs(evaluated[row]! - sum) < 1e-5);
    const dropped = await logits(
      training.program,
      samples,
      training.schedule.words.subarray(0, 3),
      training.initialState,
    );
    assert.equal(dropped.length, BATCH);
    assert.ok(sums.some((sum, row) => Math.abs(dropped[row]! - sum) > 0.1));
  });

  it("takes running statistics, so that no row depends on the others", async () => {
    const settings = withBatchNorm();
    const training = compileTraining(settings);
    const { program, kept } = compileEvaluation(settings, training.program);
    const state = kept.map((index) => training.initialState[index]!);
    assert.ok(program.state.some(({ name }) => name.endsWith("running_mean")));
    assert.ok(program.state.every(({ source }) => source === null));
    const row = () => [...floats(...samplesOf(1, SIDE * SIDE, () => 0)[0]!.slice(0, -1)), random.below(4)];
    const first = row();
    const batches = [0, 1].map(() => Uint32Array.from([...first, ...row(), ...row(), ...row()]));
    const rowOf = async (which: Program, schedule: Uint32Array, kept: readonly Tensor[]) =>
      Promise.all(batches.map(async (samples) => (await logits(which, samples, schedule, kept)).slice(0, 4)));
    const [a, b] = await rowOf(program, new Uint32Array(0), state);
    for (const [i, value] of a!.entries()) assert.ok(Math.abs(value - b![i]!) < 1e-5, `${a} and ${b}`);
    const [c, d] = await rowOf(training.program, training.schedule.words.subarray(0, 3), training.initialState);
    assert.ok(
      c!.some((value, i) => Math.abs(value - d![i]!) > 1e-3),
      "in training every row depends on the batch",
    );
  });
});

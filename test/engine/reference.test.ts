import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidStepError } from "../../shared/engine/errors.ts";
import { ReferenceEngine, StepInputsError } from "../../shared/engine/reference.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import type { Operand, Operator } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { traceByElements } from "../helpers/elements.ts";
import { anyFloat } from "../helpers/float32.ts";
import { floats } from "../helpers/operators.ts";
import { embeddingProgram, exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

function programs(): [name: string, program: Program, seed: number][] {
  return [
    ["regression", regressionProgram(), 1],
    ["embedding", embeddingProgram(), 2],
    ...Array.from({ length: 60 }, (_, seed): [string, Program, number] => [
      `random ${seed}`,
      randomProgram(seed),
      seed,
    ]),
  ];
}

async function checkStep(name: string, job: Job, step: number, state: readonly Tensor[]): Promise<readonly Tensor[]> {
  const trace = await new ReferenceEngine(job.program).trace(stepInputs(job, step, state));
  const expected = traceByElements(job, step, state);
  for (const [at, { words }] of expected.entries())
    assert.deepEqual(trace.outputs[at]!.words, words, `${name}, step ${step}, ${job.program.operators[at]!.name}`);
  for (const [at, { source }] of job.program.state.entries())
    assert.equal(trace.state[at]!.words, source === null ? state[at]!.words : trace.outputs[source]!.words);
  return trace.state;
}

test("every tensor of a step is what the element rule gives", async () => {
  for (const [name, program, seed] of programs()) {
    const job = exampleJob(program, seed);
    let state: readonly Tensor[] = exampleState(program, seed);
    for (let step = 0; step < 3; step++) state = await checkStep(name, job, step, state);
  }
});

test("also when the state and the data hold NaN, infinities, subnormals and negative zeros", async () => {
  const random = new Random(61);
  for (const [name, program, seed] of programs().slice(0, 30)) {
    const wild = (words: Uint32Array): Uint32Array =>
      words.map((word) => (random.chance(0.2) ? anyFloat(random) : word));
    const job = exampleJob(program, seed);
    const state = exampleState(program, seed).map((tensor) => ({ ...tensor, words: wild(tensor.words) }));
    await checkStep(name, { ...job, samples: wild(job.samples) }, 0, state);
  }
});

test("also when operands reach outside their tensors, or sums beyond 2^53", async () => {
  const random = new Random(62);
  for (const [name, program, seed] of programs().slice(0, 40)) {
    const bend = (operand: Operand): Operand => ({
      ...operand,
      offset: random.chance(0.2) ? random.below(2 * operand.count) : operand.offset,
      strides: operand.strides.map((stride) => (random.chance(0.2) ? random.between(-3, 3) : stride)),
      reference: random.chance(0.05) ? { kind: "constant", index: 99 } : operand.reference,
    });
    const operators = program.operators.map(({ name, operator }) => {
      const bent = { ...operator, operands: operator.operands.map(bend) } as Operator;
      const wide = "bits" in bent && random.chance(0.5) ? { ...bent, bits: 22 } : bent;
      const long = wide.family === "dot" && random.chance(0.3) ? { ...wide, length: 600 } : wide;
      return { name, operator: long };
    });
    const bent = { ...program, operators };
    await checkStep(name, exampleJob(bent, seed), 0, exampleState(bent, seed));
  }
});

test("the guard is the greatest of the peaks' inputs, the new state and the loss", async () => {
  const program = regressionProgram();
  const job = exampleJob(program, 3);
  const engine = new ReferenceEngine(program);
  const state = exampleState(program, 3);
  const trace = await engine.trace(stepInputs(job, 0, state));
  const magnitudes: number[] = [];
  const measure = (words: Uint32Array): number =>
    magnitudes.push(...new Float32Array(words.slice().buffer).map(Math.abs));
  for (const { operator } of program.operators) {
    if (operator.family !== "peak") continue;
    const { kind, index } = operator.operands[0].reference;
    measure((kind === "state" ? state : trace.outputs)[index]!.words);
  }
  for (const { words } of trace.state) measure(words);
  measure(trace.outputs[program.loss]!.words);
  assert.equal(trace.guard, Math.max(...magnitudes));
  assert.equal(trace.loss, new Float32Array(trace.outputs[program.loss]!.words.buffer)[0]);

  const withWeight = (value: number): Tensor[] => {
    const [weight, ...rest] = state as [Tensor, ...Tensor[]];
    return [{ ...weight, words: weight.words.with(4, floats(value)[0]!) }, ...rest];
  };
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.equal((await engine.step(stepInputs(job, 0, withWeight(value)))).guard, Number.POSITIVE_INFINITY);
  assert.ok((await engine.step(stepInputs(job, 0, withWeight(2 ** 21)))).guard >= 2 ** 21);
});

test("steps equal single steps, report ranges, and stop at an invalid step", async () => {
  const program = regressionProgram();
  // One sample again and again and a small rate: the loss must fall.
  const job = {
    ...exampleJob(program, 4, { samples: 1, steps: 6 }),
    schedule: new Uint32Array(6).fill(floats(0.005)[0]!),
  };
  const engine = new ReferenceEngine(program);
  let state: readonly Tensor[] = exampleState(program, 4);
  const initial = state;
  const losses: number[] = [];
  for (let step = 0; step < 6; step++) {
    const result = await engine.step(stepInputs(job, step, state));
    state = result.state;
    losses.push(result.loss);
  }
  const reported: number[] = [];
  const result = await engine.steps({
    state: initial,
    count: 6,
    inputs: (step) => sourceOutputs(job, step),
    onStep: (_, { loss }) => reported.push(loss),
  });
  assert.deepEqual(result.state, state);
  assert.deepEqual(reported, losses);
  assert.ok(
    losses.every((loss, step) => step === 0 || loss < losses[step - 1]!),
    `${losses}`,
  );
  const huge = { ...job, schedule: floats(0.1, 1e6, 1e6, 1e6, 1e6, 1e6) };
  await assert.rejects(
    engine.steps({ state: initial, count: 6, inputs: (step) => sourceOutputs(huge, step) }),
    InvalidStepError,
  );
});

test("inputs that are not the program's are refused", async () => {
  const program = regressionProgram();
  const engine = new ReferenceEngine(program);
  const inputs = stepInputs(exampleJob(program, 5), 0, exampleState(program, 5));
  await assert.rejects(engine.step({ ...inputs, state: inputs.state.slice(1) }), StepInputsError);
  await assert.rejects(engine.step({ ...inputs, batches: new Map() }), StepInputsError);
  await assert.rejects(engine.step({ ...inputs, schedule: new Map() }), StepInputsError);
  const short = { ...inputs.state[0]!, words: inputs.state[0]!.words.subarray(1) };
  await assert.rejects(engine.trace({ ...inputs, state: [short, ...inputs.state.slice(1)] }), StepInputsError);
});

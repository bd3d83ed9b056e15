/** Comparing engines word by word. */
import assert from "node:assert/strict";
import * as onnxruntime from "onnxruntime-node";
import type { Engine, StepResult, StepTrace } from "../../shared/engine/engine.ts";
import { type Form, HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { startKernelThread } from "../../shared/engine/kernelThreads.ts";
import { LocalHost } from "../../shared/engine/localHost.ts";
import { type Arithmetic, FLOAT32_ONLY, FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { embeddingProgram, exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";

/** Random programs of a run of several steps; `property.test.ts` tries many more for one. */
export const PROGRAMS = process.env.TOUCHSTONE_DEEP === "1" ? 300 : 18;

/** Every realisation of every rule. */
export const ARITHMETICS: readonly Arithmetic[] = [
  FLOAT64,
  FLOAT32_ONLY,
  { dot: "int8", sum: "float64", root: "float64" },
];

/** An engine in this thread, without self-test: quick to start. */
export function openLocal(program: Program, threads = 1, form: Form = FLOAT64): Promise<HostedEngine> {
  const how = form === "kernels" ? form : `dot ${form.dot}, sum ${form.sum}, root ${form.root}`;
  const name = `onnxruntime-node on ${threads} threads (${how})`;
  const host = new LocalHost({
    name,
    library: onnxruntime,
    provider: "cpu",
    threads,
    fillsOutputs: true,
    startThread: startKernelThread,
  });
  return HostedEngine.open(host, program, form);
}

/** Every way to make a step. */
export const FORMS: readonly Form[] = [...ARITHMETICS, "kernels"];

/** Those that are fast on a CPU. */
export const CPU_FORMS: readonly Form[] = [FLOAT64, "kernels"];

export const nameOf = (form: Form): string => (form === "kernels" ? form : `dot ${form.dot}`);

export interface Example {
  readonly name: string;
  readonly program: Program;
  readonly job: Job;
  readonly state: readonly Tensor[];
}

export function* examples(count: number): Generator<Example> {
  const example = (name: string, program: Program, seed: number): Example => ({
    name,
    program,
    job: exampleJob(program, seed),
    state: exampleState(program, seed),
  });
  yield example("regression", regressionProgram(), 1);
  yield example("embedding", embeddingProgram(), 2);
  for (let seed = 0; seed < count; seed++) yield example(`random ${seed}`, randomProgram(seed), seed);
}

export function assertSameTensors(
  actual: readonly Tensor[],
  expected: readonly Tensor[],
  name: (at: number) => string,
) {
  assert.equal(actual.length, expected.length);
  for (const [at, { words, dtype, shape }] of expected.entries()) {
    assert.deepEqual(actual[at], { dtype, shape, words }, name(at));
  }
}

function assertSameResult(actual: StepResult, expected: StepResult, program: Program, name: string): void {
  assertSameTensors(actual.state, expected.state, (p) => `${name}: state ${program.state[p]!.name}`);
  assert.deepEqual([actual.loss, actual.guard], [expected.loss, expected.guard], `${name}: loss and guard`);
}

/** Steps the engines and the reference side by side; every word of states and traces must agree. */
export async function assertSameBits({ name, program, job, state }: Example, engines: readonly Engine[], steps = 3) {
  const reference = new ReferenceEngine(program);
  let before = state;
  for (let step = 0; step < steps; step++) {
    const inputs = stepInputs(job, step, before);
    const expected: StepTrace = await reference.trace(inputs);
    for (const engine of engines) {
      const where = `${name}, step ${step}, ${engine.name}`;
      const trace = await engine.trace(inputs);
      assertSameTensors(trace.outputs, expected.outputs, (n) => `${where}: ${program.operators[n]!.name}`);
      assertSameResult(trace, expected, program, `${where}, traced`);
      assertSameResult(await engine.step(inputs), expected, program, where);
    }
    before = expected.state;
  }
}

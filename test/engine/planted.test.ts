import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import { type Form, HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { webHost } from "../../shared/engine/web.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { GUARD_LIMIT } from "../../shared/numerics/guard.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { lenetJob } from "../helpers/imageJobs.ts";
import { floats } from "../helpers/operators.ts";
import { exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { tinyLstm, tinyTransformer } from "../helpers/sequenceJobs.ts";
import { FORMS, nameOf, openLocal } from "./compare.ts";

const HOSTILE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -3e38, 2 ** 21];

interface Run {
  readonly name: string;
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

const RUNS: readonly Run[] = [
  ...[3, 4, 5].map((seed) => {
    const program = randomProgram(seed);
    return { name: `random ${seed}`, job: exampleJob(program, seed), initialState: exampleState(program, seed) };
  }),
  { name: "regression", job: exampleJob(regressionProgram(), 2), initialState: exampleState(regressionProgram(), 2) },
  { name: "LeNet", ...lenetJob() },
  { name: "GPT", ...tinyTransformer() },
  { name: "LSTM", ...tinyLstm() },
];

const openers: readonly { name: string; open(program: Program): Promise<HostedEngine> }[] = [
  ...FORMS.map((form: Form) => ({ name: nameOf(form), open: (program: Program) => openLocal(program, 1, form) })),
  { name: "WebAssembly", open: (program: Program) => HostedEngine.open(webHost({ library }), program, "kernels") },
];

/** The tensors with one word of a float32 one replaced. */
function plant(random: Random, tensors: readonly Tensor[], value: number): Tensor[] {
  const floating = [...tensors.keys()].filter((p) => tensors[p]!.dtype === Dtype.float32);
  const p = random.pick(floating);
  const tensor = tensors[p]!;
  return tensors.with(p, { ...tensor, words: tensor.words.with(random.below(tensor.words.length), floats(value)[0]!) });
}

for (const { name, open } of openers) {
  test(`no engine goes on with a hostile word in the state (${name})`, async () => {
    const random = new Random(61);
    for (const { name: what, job, initialState } of RUNS) {
      const engine = await open(job.program);
      assert.ok((await engine.step(stepInputs(job, 0, initialState))).guard <= GUARD_LIMIT, what);
      for (const value of HOSTILE) {
        // A step may swallow it by a clamp, by the rules too: so the state itself is looked at.
        const state = plant(random, initialState, value);
        const steps = engine.steps({ state, count: 1, inputs: (step) => sourceOutputs(job, step) });
        await assert.rejects(steps, { code: "INVALID_STATE" }, what);
      }
      await engine.close();
    }
  });
}

test("no job with a hostile word in its state, data, schedule or constants is taken", () => {
  const random = new Random(62);
  for (const { name, job, initialState } of RUNS) {
    requireWellFormedJob(job, initialState);
    const { program } = job;
    const refuses = (changed: Job, state: readonly Tensor[], what: string): void =>
      assert.throws(() => requireWellFormedJob(changed, state), { name: /Error$/ }, `${name}: ${what}`);
    for (const value of HOSTILE) {
      const word = floats(value)[0]!;
      refuses(job, plant(random, initialState, value), `state with ${value}`);
      refuses(
        { ...job, schedule: job.schedule.with(random.below(job.schedule.length), word) },
        initialState,
        "schedule",
      );
      const field = program.sample.fields.find(({ dtype }) => dtype === Dtype.float32);
      if (field !== undefined) {
        const row = random.below(job.samples.length / program.sample.words);
        const at = row * program.sample.words + field.offset + random.below(field.width);
        refuses({ ...job, samples: job.samples.with(at, word) }, initialState, `data with ${value}`);
      }
      if (program.constants.some(({ dtype }) => dtype === Dtype.float32)) {
        // A large one is no harm where the ranges allow it.
        const constants = plant(random, program.constants, Number.isFinite(value) ? Number.NaN : value);
        refuses({ ...job, program: { ...program, constants } }, initialState, `constant ${value}`);
      }
    }
  }
});

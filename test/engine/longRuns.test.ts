import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { webHost } from "../../shared/engine/web.ts";
import { compileTraining } from "../../shared/program/compile.ts";
import { type Job, sourceOutputs } from "../../shared/program/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { jobOf, randomSamples, settings, TINY } from "../helpers/compile.ts";
import { lenetJob, resnetJob } from "../helpers/imageJobs.ts";
import { tinyLstm, tinyTransformer } from "../helpers/sequenceJobs.ts";
import { openLocal } from "./compare.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const STEPS = DEEP ? 10_000 : 8;

interface Training {
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

function tinyMlp(): Training {
  const compiled = compileTraining(settings(TINY));
  return { job: jobOf(compiled, randomSamples(TINY, 64, 3), 30), initialState: compiled.initialState };
}

/** The job with its last rates for all further steps. */
function longer({ job, initialState }: Training): Training {
  const width = job.program.scheduleColumns.length;
  const schedule = new Uint32Array(STEPS * width);
  for (let step = 0; step < STEPS; step++) {
    const row = Math.min(step, job.steps - 1) * width;
    schedule.set(job.schedule.subarray(row, row + width), step * width);
  }
  return { job: { ...job, schedule, steps: STEPS, interval: STEPS }, initialState };
}

const MODELS: Readonly<Record<string, () => Training>> = {
  MLP: tinyMlp,
  LeNet: lenetJob,
  ...(DEEP ? {} : { ResNet: resnetJob }),
  GPT: tinyTransformer,
  LSTM: tinyLstm,
};

const ENGINES: Readonly<Record<string, (program: Program) => Promise<Engine>>> = {
  "kernels on one thread": (program) => openLocal(program, 1, "kernels"),
  "kernels on two threads": (program) => openLocal(program, 2, "kernels"),
  "kernels in WebAssembly": (program) => HostedEngine.open(webHost({ library }), program, "kernels"),
  // Slower ones; the reference would take hours.
  ...(DEEP
    ? {}
    : {
        "a model on two threads": (program: Program) => openLocal(program, 2, FLOAT64),
        reference: async (program: Program) => new ReferenceEngine(program),
      }),
};

for (const [name, make] of Object.entries(MODELS)) {
  test(`${STEPS} steps of a small ${name} end in one state on every engine`, async () => {
    const { job, initialState } = longer(make());
    const ends = new Map<string, { root: string; loss: number }>();
    for (const [where, open] of Object.entries(ENGINES)) {
      const engine = await open(job.program);
      let last = Number.NaN;
      const { state } = await engine.steps({
        state: initialState,
        count: STEPS,
        inputs: (step) => sourceOutputs(job, step),
        onStep: (_, { loss }) => {
          last = loss;
        },
      });
      await engine.close();
      ends.set(where, { root: stateRoot(state), loss: last });
    }
    const [first, ...others] = [...ends.values()];
    assert.notEqual(first!.root, stateRoot(initialState));
    for (const end of others) assert.deepEqual(end, first, JSON.stringify([...ends]));
  });
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { webHost } from "../../shared/engine/web.ts";
import { type Job, sourceOutputs } from "../../shared/job/job.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { exampleTask } from "../examples/examples.ts";
import { ADAMW, jobOf, randomSamples, settings, TINY } from "../helpers/compile.ts";
import { lenetJob, resnetJob } from "../helpers/imageJobs.ts";
import { exampleJob } from "../helpers/programs.ts";
import { tinyGru, tinyLlama, tinyLstm, tinyTransformer } from "../helpers/sequenceJobs.ts";
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

/** The same with its weights frozen and adapters beside them. */
function tinyLora(): Training {
  const compiled = compileTraining(settings(TINY, { lora: { rank: 2, alpha: 4, targets: ["fc*.weight"] } }));
  return { job: jobOf(compiled, randomSamples(TINY, 64, 3), 30), initialState: compiled.initialState };
}

/** Two networks of two layers, with noise. */
function tinyGan(): Training {
  const vectors = path.resolve(import.meta.dirname, "../compile/pytorch/vectors");
  const network = { optimizer: ADAMW, rate: { kind: "constant", peak: 0.002, warmup: 0 } } as const;
  const compiled = compileTraining({
    kind: "gan",
    model: readFileSync(path.join(vectors, "gan.onnx")),
    discriminatorModel: readFileSync(path.join(vectors, "gan-discriminator.onnx")),
    fields: [{ name: "input", dtype: Dtype.float32, offset: 0, width: 4, minimum: -1, maximum: 1 }],
    batch: 8,
    steps: 30,
    generator: network,
    discriminator: network,
  });
  const { samples } = exampleJob(compiled.program, 52, { samples: 64 });
  return { job: jobOf(compiled, samples, 30), initialState: compiled.initialState };
}

/** A step that its author differentiated, as examples/step brings it. */
async function ownStep(): Promise<Training> {
  return (await exampleTask("step")).taskPackage;
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

const MODELS: Readonly<Record<string, () => Training | Promise<Training>>> = {
  MLP: tinyMlp,
  LeNet: lenetJob,
  ResNet: resnetJob,
  GPT: tinyTransformer,
  Llama: tinyLlama,
  LSTM: tinyLstm,
  GRU: tinyGru,
  LoRA: tinyLora,
  GAN: tinyGan,
  "step of one's own": ownStep,
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
    const { job, initialState } = longer(await make());
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

/** A training that is measured, compiled once: nobody trains on anything else. */

import { compileTraining } from "../../shared/compile/compile.ts";
import { type Job, sourceOutputs } from "../../shared/job/job.ts";
import { Dtype, type Operator } from "../../shared/program/descriptor.ts";
import type { Program, SampleField, Tensor } from "../../shared/program/program.ts";
import type { AdamSettings } from "../../shared/task/settings.ts";
import type { Architecture } from "./model.ts";

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

export interface Training {
  readonly name: string;
  readonly architecture: Architecture;
  readonly batch: number;
  /** Steps between commitments. */
  readonly interval: number;
  /** Steps that a contender trains without a pause when it is measured. */
  readonly stepsOfRound: number;
  readonly inputWidth: number;
  readonly targetWidth: number;
  readonly parameters: readonly Parameter[];
  readonly optimizer: AdamSettings;
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

export interface TrainingStep {
  /** [batch, inputWidth]; tokens or pixels. */
  readonly input: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** [batch, targetWidth] */
  readonly targets: Int32Array<ArrayBuffer>;
  readonly rate: number;
  /** 1 / (1 − β^t) of both moments. */
  readonly corrections: readonly [number, number];
}

export interface TrainingSpec {
  readonly name: string;
  readonly architecture: Architecture;
  readonly model: Uint8Array;
  readonly batch: number;
  readonly interval: number;
  readonly stepsOfRound: number;
  readonly rate: number;
  /** `input`, then `target`. */
  readonly fields: readonly SampleField[];
  readonly samples: Uint32Array;
}

const OPTIMIZER: AdamSettings = { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 };
/** More than anybody is measured for. */
const STEPS = 4096;

export function training(spec: TrainingSpec): Training {
  const { fields, batch, interval, samples } = spec;
  const { program, initialState, schedule } = compileTraining({
    model: spec.model,
    batch,
    fields,
    loss: { kind: "softmaxCrossEntropy" },
    optimizer: OPTIMIZER,
    rate: { kind: "constant", peak: spec.rate, warmup: 0 },
    steps: STEPS,
  });
  return {
    ...spec,
    inputWidth: fields[0]!.width,
    targetWidth: fields[1]!.width,
    optimizer: OPTIMIZER,
    initialState,
    job: { program, samples, schedule: schedule.words, seed: 7n, steps: STEPS, interval },
    parameters: program.state.slice(0, program.state.length / 3).map(({ name, shape }, p): Parameter => {
      return { name, shape, values: new Float32Array(initialState[p]!.words.slice().buffer) };
    }),
  };
}

/** What a step of the training reads. */
export function trainingStep({ job }: Pick<Training, "job">, step: number): TrainingStep {
  const { program } = job;
  const { batches } = sourceOutputs(job, step);
  const [input, target] = program.sample.fields.map(({ offset }) => {
    const tensor = batches.get(batchAt(program, offset))!;
    const buffer = tensor.words.buffer as ArrayBuffer;
    return tensor.dtype === Dtype.float32 ? new Float32Array(buffer) : new Int32Array(buffer);
  }) as [TrainingStep["input"], Int32Array<ArrayBuffer>];
  const columns = program.scheduleColumns.length;
  const schedule = new Float32Array(job.schedule.buffer, job.schedule.byteOffset, job.schedule.length);
  const at = (name: string) => schedule[step * columns + program.scheduleColumns.indexOf(name)]!;
  return { input, targets: target, rate: at("rate"), corrections: [at("correction1"), at("correction2")] };
}

function batchAt(program: Program, offset: number): number {
  const reads = ({ operator }: { operator: Operator }) => operator.family === "batch" && operator.offset === offset;
  return program.operators.findIndex(reads);
}

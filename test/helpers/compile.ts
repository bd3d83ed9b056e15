/** Compiling the example's model at small sizes, and stepping what comes out on the reference engine. */
import { type MlpSizes, mlpModel, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import type { CompiledTraining } from "../../shared/compile/compile.ts";
import type { SupervisedSettings } from "../../shared/compile/supervised.ts";
import { tokenFields } from "../../shared/data/text.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";

import { type Job, stepInputs } from "../../shared/job/job.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { Random } from "./random.ts";

export const TINY: MlpSizes = { context: 3, vocabulary: 7, embedding: 4, hidden: [6, 5] };

export const ADAMW = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;

export function settings(sizes: MlpSizes, changes: Partial<SupervisedSettings> = {}): SupervisedSettings {
  return {
    model: encodeModel(mlpModel(sizes, mlpWeights(sizes, 5n))),
    batch: 4,
    fields: tokenFields(sizes.context, sizes.vocabulary),
    loss: { kind: "softmaxCrossEntropy" },
    optimizer: ADAMW,
    rate: { kind: "cosine", peak: 0.01, warmup: 3, final: 0.1 },
    steps: 30,
    ...changes,
  };
}

/** Random samples of the compiled program's layout. */
export function randomSamples(sizes: MlpSizes, count: number, seed: number): Uint32Array {
  const random = new Random(seed);
  return Uint32Array.from({ length: count * (sizes.context + 1) }, () => random.below(sizes.vocabulary));
}

export function jobOf({ program, schedule }: CompiledTraining, samples: Uint32Array, steps: number): Job {
  return { program, samples, schedule: schedule.words, seed: 11n, steps, interval: steps };
}

/** Steps 0 … count − 1 on the reference engine; calls `onStep` with the loss after each. */
export async function run(
  job: Job,
  initialState: readonly Tensor[],
  count: number,
  onStep: (step: number, loss: number) => void = () => undefined,
): Promise<readonly Tensor[]> {
  const engine = new ReferenceEngine(job.program);
  let state = initialState;
  for (let step = 0; step < count; step++) {
    const result = await engine.step(stepInputs(job, step, state));
    state = result.state;
    onStep(step, result.loss);
  }
  return state;
}

export function numbers(tensor: Tensor): Float32Array {
  return new Float32Array(tensor.words.buffer, tensor.words.byteOffset, tensor.words.length);
}

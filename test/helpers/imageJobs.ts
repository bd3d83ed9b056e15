/** Small jobs of convolutional networks, for tests that look at every operator of a step. The models are those of `test/compile/pytorch`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { compileTraining } from "../../shared/compile/compile.ts";
import type { Job } from "../../shared/job/job.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { SampleField, Tensor } from "../../shared/program/program.ts";
import { exampleJob } from "./programs.ts";

export interface ImageJob {
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

/** Two convolutions with pools, one of them padded. */
export const lenetJob = (): ImageJob => jobOf("lenet", 64, classes(6));
/** Convolutions with batch normalisation, a residual block and a strided shortcut. */
export const resnetJob = (): ImageJob => jobOf("resnet", 36, classes(4));
/** Depthwise and transposed convolutions, overlapping windows, group and instance normalisation, upsampling. */
export const autoencoderJob = (): ImageJob =>
  jobOf("autoencoder", 64, { dtype: Dtype.float32, width: 64, minimum: -1, maximum: 1 });

type Target = Pick<SampleField, "dtype" | "width" | "minimum" | "maximum">;

function classes(count: number): Target {
  return { dtype: Dtype.int32, width: 1, minimum: 0, maximum: count - 1 };
}

function jobOf(name: string, pixels: number, target: Target): ImageJob {
  const file = path.resolve(import.meta.dirname, "../compile/pytorch/vectors", `${name}.onnx`);
  const { program, initialState, schedule } = compileTraining({
    model: readFileSync(file),
    fields: [
      { name: "input", dtype: Dtype.float32, offset: 0, width: pixels, minimum: -1, maximum: 1 },
      { name: "target", offset: pixels, ...target },
    ],
    batch: 3,
    loss: { kind: target.dtype === Dtype.int32 ? "softmaxCrossEntropy" : "meanSquaredError" },
    optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    rate: { kind: "constant", peak: 0.01, warmup: 0 },
    steps: 2,
  });
  const job = exampleJob(program, 51, { steps: 2, interval: 2 });
  return { job: { ...job, schedule: schedule.words }, initialState };
}

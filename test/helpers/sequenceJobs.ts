/** Tiny jobs of sequence models, for tests that look at every operator of a step. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type GptSizes, gptModel, gptWeights } from "../../examples/gpt/model.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import { tokenFields } from "../../shared/data/text.ts";
import type { Job } from "../../shared/job/job.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { SampleField, Tensor } from "../../shared/program/program.ts";
import { Random } from "./random.ts";

export interface TinyJob {
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

const GPT: GptSizes = { context: 5, vocabulary: 11, width: 8, heads: 2, layers: 1 };

/** One block of a transformer with a target for every position, clipped, and AdamW. */
export function tinyTransformer(): TinyJob {
  const model = encodeModel(gptModel(GPT, gptWeights(GPT, 3n)));
  return tiny(model, tokenFields(GPT.context, GPT.vocabulary, GPT.context), GPT.vocabulary);
}

/** Two stacked LSTM layers. */
export const tinyLstm = (): TinyJob => exported("lstm");
/** A GRU in both directions. */
export const tinyGru = (): TinyJob => exported("gru");
/** Two blocks with rotary positions, shared keys and values, SwiGLU and a tied table. */
export const tinyLlama = (): TinyJob => exported("llama");

/** A model that PyTorch exported, with a target for every position. */
function exported(name: string): TinyJob {
  const file = path.resolve(import.meta.dirname, `../fixtures/pytorch/${name}.onnx`);
  const [context, vocabulary] = [6, 11];
  const tokens = { dtype: Dtype.int32, minimum: 0, maximum: vocabulary - 1, width: context };
  const fields = [
    { name: "tokens", offset: 0, ...tokens },
    { name: "target", offset: context, ...tokens },
  ];
  return tiny(readFileSync(file), fields, vocabulary);
}

const STEPS = 2;

function tiny(model: Uint8Array, fields: readonly SampleField[], vocabulary: number): TinyJob {
  const { program, initialState, schedule } = compileTraining({
    model,
    batch: 3,
    fields,
    loss: { kind: "softmaxCrossEntropy" },
    optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    rate: { kind: "constant", peak: 0.01, warmup: 0 },
    clip: { norm: 1 },
    steps: STEPS,
  });
  const random = new Random(21);
  const samples = Uint32Array.from({ length: 8 * program.sample.words }, () => random.below(vocabulary));
  return { job: { program, samples, schedule: schedule.words, seed: 9n, steps: STEPS, interval: STEPS }, initialState };
}

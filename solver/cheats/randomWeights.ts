/** A checkpoint's weights are random numbers. */

import { fromNumber } from "../../shared/numerics/float32.ts";
import { initialWords } from "../../shared/numerics/philox.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { parameters } from "./places.ts";
import { anyLastStep, oneStep } from "./plans.ts";

export const randomWeights: Cheat = {
  name: "random-weights",
  summary: "commits random weights as a checkpoint and trains on from them",
  plan(context) {
    const { job, random } = context;
    const tensors = parameters(job.program);
    if (tensors.length === 0) throw new CheatImpossibleError(this.name, "no weight is updated");
    const seed = BigInt(random.word());
    return oneStep(anyLastStep(context), async (_, { outputs, state }) => ({
      outputs,
      state: state.map((tensor, index) => {
        if (!tensors.includes(index)) return tensor;
        const bits = initialWords(seed, index, wordCount(tensor.shape));
        // Small and even in distribution, as initial weights are.
        return { ...tensor, words: bits.map((word) => fromNumber(((word >>> 8) + 0.5) / 2 ** 27 - 2 ** -4)) };
      }),
    }));
  },
};

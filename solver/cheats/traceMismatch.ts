/** The state after a step is not what the trace of the step says. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { parameters } from "./places.ts";
import { anyLastStep, furtherByUlps, isNormal, oneStep, withWord } from "./plans.ts";

export const traceMismatch: Cheat = {
  name: "trace-mismatch",
  summary: "stores another word in the state than the trace of the step says",
  plan(context) {
    const { job, random } = context;
    const tensors = parameters(job.program);
    if (tensors.length === 0) throw new CheatImpossibleError(this.name, "no weight is updated");
    const tensor = random.pick(tensors);
    const place = random.word();
    return oneStep(anyLastStep(context), async (_, { outputs, state }) => {
      const { words } = state[tensor]!;
      const first = Math.floor((place / 2 ** 32) * words.length);
      const at = Array.from(words, (_word, i) => (first + i) % words.length).find((i) => isNormal(words[i]!)) ?? first;
      return { outputs, state: state.with(tensor, withWord(state[tensor]!, at, furtherByUlps(words[at]!, 1))) };
    });
  },
};

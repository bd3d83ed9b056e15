/** The last tile of a tensor has a word behind the tensor's end. */
import { TILE_WORDS } from "../../shared/commitment/tile.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { paddedStates } from "./places.ts";
import { anyLastStep, oneStep } from "./plans.ts";

export const padding: Cheat = {
  name: "padding",
  summary: "hides a word in the padding of a checkpoint tensor's last tile",
  plan(context) {
    const { job, random } = context;
    const tensors = paddedStates(job.program);
    if (tensors.length === 0) throw new CheatImpossibleError(this.name, "every state tensor fills its tiles");
    const tensor = random.pick(tensors);
    const count = wordCount(job.program.state[tensor]!.shape);
    const at = count + random.below(TILE_WORDS - (count % TILE_WORDS));
    const word = (random.word() | 1) >>> 0;
    return oneStep(anyLastStep(context), async (_, { outputs, state }) => {
      const words = new Uint32Array(at + 1);
      words.set(state[tensor]!.words);
      words[at] = word;
      return { outputs, state: state.with(tensor, { ...state[tensor]!, words }) };
    });
  },
};

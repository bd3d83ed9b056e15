/** A step takes one number of a constant to be another: a frozen weight, a table of positions, a mask. */
import { Dtype } from "../../shared/program/descriptor.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { sameState } from "./firstDifference.ts";
import { ATTEMPTS, anyLastStep, isNormal, oneStep, withWord } from "./plans.ts";
import { rerunWithConstants } from "./rerun.ts";

/** One in the exponent field: half the number, which no proof of bounds forbids. */
const HALF = 0x800000;

export const wrongConstant: Cheat = {
  name: "wrong-constant",
  summary: "computes one step with half of one number of a frozen weight, a mask or a table",
  needs: "constants",
  plan(context) {
    const { job, random } = context;
    const places = job.program.constants.flatMap(({ dtype, words }, constant) =>
      dtype === Dtype.float32
        ? [...words.keys()].flatMap((at) => (isNormal(words[at]!) ? [{ constant, at }] : []))
        : [],
    );
    if (places.length === 0) throw new CheatImpossibleError(this.name, "no constant has a number to change");
    const step = anyLastStep(context);
    let chosen: { readonly constant: number; readonly at: number } | null = null;
    return oneStep(step, async (before, honest) => {
      const apply = (constant: number, at: number) => {
        const { constants } = job.program;
        const tensor = constants[constant]!;
        const halved = withWord(tensor, at, tensor.words[at]! - HALF);
        return rerunWithConstants(job, step, before, constants.with(constant, halved));
      };
      if (chosen !== null) return apply(chosen.constant, chosen.at);
      for (let attempt = 0; ; attempt++) {
        const { constant, at } = random.pick(places);
        const lying = await apply(constant, at);
        // What is lost in rounding, or not read at all, would be no cheat.
        if (sameState(lying.state, honest.state) && attempt < ATTEMPTS - 1) continue;
        chosen = { constant, at };
        return lying;
      }
    });
  },
};

/** A step takes a number of the schedule to be twice what it is. */

import { sourceOutputs } from "../../shared/job/job.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { isNormal, oneStep } from "./plans.ts";
import { rerunWith } from "./rerun.ts";

/** One in the exponent field: twice the number. */
const TWICE = 0x800000;

export const wrongRate: Cheat = {
  name: "wrong-rate",
  summary: "takes the learning rate of one step to be twice what the schedule says",
  plan({ job, random }) {
    const first = random.below(job.steps);
    for (let i = 0; i < job.steps; i++) {
      const step = (first + i) % job.steps;
      // The rate comes first among the columns that a compiler writes; a zero cannot be doubled.
      const entry = [...sourceOutputs(job, step).schedule].find(([, { words }]) => isNormal(words[0]!));
      if (entry === undefined) continue;
      const [operator, tensor] = entry;
      const doubled = { ...tensor, words: tensor.words.map((word) => word + TWICE) };
      return oneStep(step, (before) =>
        rerunWith(job, step, before, (inputs) => ({
          ...inputs,
          schedule: new Map(inputs.schedule).set(operator, doubled),
        })),
      );
    }
    throw new CheatImpossibleError(this.name, "the schedule is zero");
  },
};

/** A step draws the random numbers of another step: a generator's noise, what a Dropout keeps. */
import { sourceOutputs } from "../../shared/job/job.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { anyStep, oneStep } from "./plans.ts";
import { rerunWith } from "./rerun.ts";

export const wrongRandom: Cheat = {
  name: "wrong-random",
  summary: "draws in one step the random numbers of another one",
  needs: "random numbers",
  plan(context) {
    const { job, random } = context;
    if (!job.program.operators.some(({ operator }) => operator.family === "random"))
      throw new CheatImpossibleError(this.name, "nothing is random");
    if (job.steps < 2) throw new CheatImpossibleError(this.name, "the run has one step");
    const step = anyStep(context);
    const other = (step + 1 + random.below(job.steps - 1)) % job.steps;
    return oneStep(step, (before) =>
      rerunWith(job, step, before, (inputs) => ({ ...inputs, random: sourceOutputs(job, other).random! })),
    );
  },
};

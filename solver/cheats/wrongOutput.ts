/** One number that an inference gives is a unit in the last place off. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { anyStep, changedElement, furtherByUlps, oneStep } from "./plans.ts";

export const wrongOutput: Cheat = {
  name: "wrong-output",
  summary: "gives one number of one sample's output one unit in the last place too large",
  needs: "the outputs of an inference",
  plan(context) {
    const { job, random } = context;
    const outputs = job.program.state.flatMap(({ role, source }) =>
      role === "output" && source !== null ? [source] : [],
    );
    if (outputs.length === 0) throw new CheatImpossibleError(this.name, "the run is no inference");
    const step = anyStep(context);
    const change = (word: number): number => furtherByUlps(word, 1);
    return oneStep(
      step,
      changedElement(job, step, random, () => ({ operators: outputs, change })),
    );
  },
};

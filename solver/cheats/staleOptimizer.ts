/** A step uses the optimizer's moments as they were at the start of the run. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { moments } from "./places.ts";
import { anyStep, oneStep } from "./plans.ts";
import { rerunWith } from "./rerun.ts";

export const staleOptimizer: Cheat = {
  name: "stale-optimizer",
  summary: "steps with the optimizer's moments of the start of the run",
  plan(context) {
    const { job, initialState } = context;
    const stale = new Set(moments(job.program));
    if (stale.size === 0) throw new CheatImpossibleError(this.name, "the optimizer keeps no moments");
    if (job.steps < 2) throw new CheatImpossibleError(this.name, "the run has one step");
    const step = anyStep(context, 1);
    return oneStep(step, (before) =>
      rerunWith(job, step, before, (inputs) => ({
        ...inputs,
        state: before.map((tensor, index) => (stale.has(index) ? initialState[index]! : tensor)),
      })),
    );
  },
};

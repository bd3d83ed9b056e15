/** A step trains on the samples of another step. */
import { sourceOutputs } from "../../shared/job/job.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { anyStep, oneStep } from "./plans.ts";
import { rerunWith } from "./rerun.ts";

export const wrongBatch: Cheat = {
  name: "wrong-batch",
  summary: "trains one step on the samples that another step draws",
  plan(context) {
    const { job, random } = context;
    const step = anyStep(context);
    const own = JSON.stringify(batchWords(step));
    const from = random.below(job.steps);
    const other = Array.from({ length: job.steps }, (_, i) => (from + i) % job.steps).find(
      (candidate) => JSON.stringify(batchWords(candidate)) !== own,
    );
    if (other === undefined) throw new CheatImpossibleError(this.name, "every step draws the same samples");
    return oneStep(step, (before) =>
      rerunWith(job, step, before, (inputs) => ({ ...inputs, batches: sourceOutputs(job, other).batches })),
    );

    function batchWords(at: number): number[][] {
      return [...sourceOutputs(job, at).batches.values()].map(({ words }) => [...words]);
    }
  },
};

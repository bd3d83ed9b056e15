/** One bit of one updated weight is flipped where the update is computed; state and trace agree. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { parameters } from "./places.ts";
import { anyStep, changedElement, oneStep } from "./plans.ts";

/** Lower bits of the significand may be lost again before the checkpoint. */
const LEAST_BIT = 10;

export const weightBit: Cheat = {
  name: "weight-bit",
  summary: "flips one bit of one weight in an update and trains on from it",
  plan(context) {
    const { job, random } = context;
    const updates = parameters(job.program).map((tensor) => job.program.state[tensor]!.source!);
    if (updates.length === 0) throw new CheatImpossibleError(this.name, "no weight is updated");
    const step = anyStep(context);
    const bit = LEAST_BIT + random.below(23 - LEAST_BIT);
    const change = (word: number): number => (word ^ (1 << bit)) >>> 0;
    return oneStep(
      step,
      changedElement(job, step, random, () => ({ operators: updates, change })),
    );
  },
};

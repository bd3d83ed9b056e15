/** A whole segment is not trained: its checkpoint is the one before. */
import { segmentCount, segmentSteps } from "../../shared/job/job.ts";
import type { Cheat } from "./cheat.ts";

export const reusedCheckpoint: Cheat = {
  name: "reused-checkpoint",
  summary: "commits the previous checkpoint again instead of training a segment",
  plan({ job, random }) {
    const { firstStep, stepCount } = segmentSteps(job, random.below(segmentCount(job)));
    return {
      firstStep,
      lastStep: firstStep + stepCount - 1,
      lie: async (before, { outputs }) => ({ outputs, state: before }),
    };
  },
};

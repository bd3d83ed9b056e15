/** A step leaves a part of the state as it was before, although the trace says what it becomes. */
import type { StateTensor } from "../../shared/program/program.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { anyLastStep, oneStep } from "./plans.ts";

export const staleStatistics: Cheat = staleState(
  "stale-statistics",
  "leaves the running statistics of one step as they were before",
  "running statistics",
  ({ role }) => role === "running",
);

export const staleAdapter: Cheat = staleState(
  "stale-adapter",
  "leaves the adapters of one step as they were before",
  "low-rank adapters",
  ({ name, role = "parameter" }) => role === "parameter" && /\.lora_[AB]\./.test(name),
);

function staleState(name: string, summary: string, needs: string, isStale: (tensor: StateTensor) => boolean): Cheat {
  return {
    ...{ name, summary, needs },
    plan(context) {
      const { state } = context.job.program;
      if (!state.some(isStale)) throw new CheatImpossibleError(name, `there are no ${needs}`);
      return oneStep(anyLastStep(context), async (before, { outputs, state: after }) => ({
        outputs,
        state: after.map((tensor, index) => (isStale(state[index]!) ? before[index]! : tensor)),
      }));
    },
  };
}

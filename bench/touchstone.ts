/** The engine as a solver uses it: in its worker, a round in one call. */
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import { type Job, sourceOutputs } from "../shared/program/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import type { Contender } from "./contender.ts";

export interface TouchstoneContender extends Contender {
  /** The state after the last round. */
  readonly state: readonly Tensor[];
}

export async function touchstoneContender(
  job: Job,
  initialState: readonly Tensor[],
  threads: number,
): Promise<TouchstoneContender> {
  const engine = await startOnnxRuntime(job.program, { threads });
  let state = initialState;
  return {
    get state() {
      return state;
    },
    async train(first, count) {
      const losses: number[] = [];
      const result = await engine.steps({
        state,
        count,
        inputs: (step) => sourceOutputs(job, first + step),
        onStep: (_, { loss }) => losses.push(loss),
      });
      state = result.state;
      return losses;
    },
    close: () => engine.close(),
  };
}

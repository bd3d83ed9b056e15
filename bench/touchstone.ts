/** The engine as a solver uses it: in its worker, a round in one call. */
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import { type Job, sourceOutputs, stepInputs } from "../shared/job/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import type { Contender } from "./contender.ts";

export interface TouchstoneContender extends Contender {
  /** The state after the last round. */
  readonly state: readonly Tensor[];
  /** As `train`, while the state before is committed to, as a solver does. */
  trainCommitting(first: number, count: number): Promise<readonly number[]>;
  /** Least milliseconds of a step with every operator's output kept and handed over, from the present state. */
  traceMs(step: number): Promise<number>;
}

const TRACES = 5;

export async function touchstoneContender(
  job: Job,
  initialState: readonly Tensor[],
  threads: number,
): Promise<TouchstoneContender> {
  const engine = await startOnnxRuntime(job.program, { threads });
  let state = initialState;
  const train = async (first: number, count: number): Promise<readonly number[]> => {
    const losses: number[] = [];
    const result = await engine.steps({
      state,
      count,
      inputs: (step) => sourceOutputs(job, first + step),
      onStep: (_, { loss }) => losses.push(loss),
    });
    state = result.state;
    return losses;
  };
  return {
    get state() {
      return state;
    },
    train: (first, count) => train(first, count),
    async trainCommitting(first, count) {
      const before = state;
      const training = train(first, count);
      // When the first steps are under way.
      await new Promise((resolve) => setTimeout(resolve, 0));
      stateRoot(before);
      return training;
    },
    async traceMs(step) {
      const inputs = stepInputs(job, step, state);
      // The first ones open a session and compile it.
      for (let i = 0; i < 2; i++) await engine.trace(inputs);
      const times: number[] = [];
      for (let i = 0; i < TRACES; i++) {
        const started = performance.now();
        await engine.trace(inputs);
        times.push(performance.now() - started);
      }
      return Math.min(...times);
    },
    close: () => engine.close(),
  };
}

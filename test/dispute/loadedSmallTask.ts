/** The small job as a task that a program has loaded, and honest checkpoints of it in a store. */
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { putCheckpoint } from "../../shared/data/checkpoint.ts";
import { Run } from "../../shared/dispute/run.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentCount, segmentSteps, sourceOutputs } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import type { BookedCheckpoint } from "../../shared/service/marketBook.ts";
import type { Store } from "../../shared/store/store.ts";
import { smallInitialState, smallJob } from "./smallJob.ts";

export function loadedSmallTask(): LoadedTask {
  const job = smallJob({ steps: 10, interval: 3 });
  const engine = new ReferenceEngine(job.program);
  // SAFETY: nothing that these tests reach looks at the task's terms.
  const spec = {} as LoadedTask["spec"];
  return { taskId: `0x${"7a".repeat(32)}`, spec, job, run: new Run(job), initialState: smallInitialState(), engine };
}

/** Trains honestly and publishes every checkpoint. */
export async function honestCheckpoints(
  { job, engine, initialState }: LoadedTask,
  store: Store,
): Promise<{ readonly checkpoints: BookedCheckpoint[]; readonly states: (readonly Tensor[])[] }> {
  const checkpoints: BookedCheckpoint[] = [];
  const states: (readonly Tensor[])[] = [initialState];
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const { firstStep, stepCount } = segmentSteps(job, segment);
    const { state } = await engine.steps({
      state: states[segment]!,
      count: stepCount,
      inputs: (step) => sourceOutputs(job, firstStep + step),
    });
    states.push(state);
    const locator = await putCheckpoint(store, job.program.state, state);
    checkpoints.push({ stateRoot: stateRoot(state), locator: `0x${locator}` });
  }
  return { checkpoints, states };
}

/** Trains one segment: plain steps inside the engine, traced ones where a cheat lies. */
import type { Engine } from "../shared/engine/engine.ts";
import { type Job, segmentSteps, sourceOutputsInTurns } from "../shared/job/job.ts";
import { toNumber } from "../shared/numerics/float32.ts";
import type { Tensor } from "../shared/program/program.ts";
import type { CheatingTracer } from "./cheats/cheatingTracer.ts";

export interface TrainingOptions {
  readonly cheat: CheatingTracer | null;
  /** @param step counted over the whole run. */
  readonly onStep: (step: number, loss: number) => void;
  readonly signal: AbortSignal;
}

/**
 * @param start state before the segment.
 * @returns the state after it.
 * @throws the signal's reason.
 */
export async function trainSegment(
  job: Job,
  engine: Engine,
  start: readonly Tensor[],
  segment: number,
  { cheat, onStep, signal }: TrainingOptions,
): Promise<readonly Tensor[]> {
  const { firstStep, stepCount } = segmentSteps(job, segment);
  const end = firstStep + stepCount;
  let state = start;
  for (let step = firstStep; step < end; ) {
    signal.throwIfAborted();
    if (cheat?.liesAt(step)) {
      const { outputs, state: after } = await cheat.trace(step, state);
      onStep(step, toNumber(outputs[job.program.loss]!.words[0]!));
      state = after;
      step++;
      continue;
    }
    let until = step + 1;
    while (until < end && !cheat?.liesAt(until)) until++;
    const first = step;
    const result = await engine.steps({
      state: cheat === null ? state : cheat.trim(state),
      count: until - first,
      inputs: (i) => sourceOutputsInTurns(job, first + i),
      onStep: (i, { loss }) => onStep(first + i, loss),
      signal,
    });
    state = result.state;
    step = until;
  }
  return state;
}

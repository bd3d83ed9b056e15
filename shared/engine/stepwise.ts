/** `Engine.steps` by means of `Engine.step`, for engines that keep no state of their own. */
import type { Tensor } from "../program/program.ts";
import type { Engine, StateRange, StepsRequest, StepsResult } from "./engine.ts";
import { assertValidState, assertValidStep } from "./validity.ts";

/** @throws InvalidStateError, InvalidStepError at the first step whose guard is above 2^20, the signal's reason when interrupted. */
export async function stepwise(engine: Pick<Engine, "step">, request: StepsRequest): Promise<StepsResult> {
  assertValidState(request.state);
  let state = request.state;
  let guard = 0;
  for (let step = 0; step < request.count; step++) {
    request.signal?.throwIfAborted();
    const result = await engine.step({ ...(await request.inputs(step)), state });
    assertValidStep(step, result.guard);
    state = result.state;
    guard = Math.max(guard, result.guard);
    const words = readRanges(state, request.ranges?.(step) ?? []);
    request.onStep?.(step, { loss: result.loss, guard: result.guard, words });
  }
  return { state, guard };
}

/** Copies of parts of a state; what lies past a tensor's end is cut off. */
export function readRanges(state: readonly Tensor[], ranges: readonly StateRange[]): Uint32Array[] {
  return ranges.map(({ tensor, offset, count }) => state[tensor]!.words.slice(offset, offset + count));
}

/**
 * An engine that follows the rules wherever they lead. Realisations give the specified bits for valid steps only (docs/numerics.md,
 * section 4); the rules decide invalid ones, too, and so does the contract: a run that diverges is no fault, and whoever replays it
 * must get the same words. From an invalid step on, the reference engine computes.
 */

import { GUARD_LIMIT } from "../numerics/guard.ts";
import type { StepInputs } from "../program/stepInputs.ts";
import type { Engine, EngineDescription, StepResult, StepsRequest, StepsResult, StepTrace } from "./engine.ts";
import { InvalidStateError, InvalidStepError } from "./errors.ts";
import { readRanges } from "./stepwise.ts";
import { assertValidState } from "./validity.ts";

type Reference = Pick<Engine, "step" | "trace"> & Partial<Pick<Engine, "close">>;

export class TotalEngine implements Engine {
  readonly name: string;
  readonly description: EngineDescription;
  readonly #fast: Engine;
  readonly #reference: Reference;

  /** Both are closed with this engine. @param reference computes by the element rules, for the same program. */
  constructor(fast: Engine, reference: Reference) {
    this.name = fast.name;
    this.description = fast.description;
    this.#fast = fast;
    this.#reference = reference;
  }

  async step(inputs: StepInputs): Promise<StepResult> {
    return await this.#total(inputs, (engine) => engine.step(inputs));
  }

  async trace(inputs: StepInputs): Promise<StepTrace> {
    return await this.#total(inputs, (engine) => engine.trace(inputs));
  }

  /** Never throws for an invalid step; the guard of the result tells. @throws the signal's reason when interrupted. */
  async steps(request: StepsRequest): Promise<StepsResult> {
    let reported = 0;
    try {
      return await this.#fast.steps({
        ...request,
        onStep: (step, report) => {
          reported = step + 1;
          request.onStep?.(step, report);
        },
      });
    } catch (error) {
      if (!(error instanceof InvalidStepError || error instanceof InvalidStateError)) throw error;
      return await this.#again(request, reported);
    }
  }

  async close(): Promise<void> {
    await this.#fast.close();
    await this.#reference.close?.();
  }

  /** The whole call once more, one step at a time; steps that were reported are not reported again. */
  async #again(request: StepsRequest, reported: number): Promise<StepsResult> {
    let { state } = request;
    let guard = 0;
    for (let step = 0; step < request.count; step++) {
      request.signal?.throwIfAborted();
      const result = await this.step({ ...(await request.inputs(step)), state });
      state = result.state;
      // A NaN stays, which Math.max keeps.
      guard = Math.max(guard, result.guard);
      if (step < reported) continue;
      const words = readRanges(state, request.ranges?.(step) ?? []);
      request.onStep?.(step, { loss: result.loss, guard: result.guard, words });
    }
    return { state, guard };
  }

  async #total<R extends StepResult>(
    { state }: StepInputs,
    run: (engine: Pick<Engine, "step" | "trace">) => Promise<R>,
  ): Promise<R> {
    if (!isValid(state)) return await run(this.#reference);
    const result = await run(this.#fast);
    return result.guard <= GUARD_LIMIT ? result : await run(this.#reference);
  }
}

function isValid(state: StepInputs["state"]): boolean {
  try {
    assertValidState(state);
    return true;
  } catch (error) {
    if (error instanceof InvalidStateError) return false;
    throw error;
  }
}

/** What can go wrong in an engine. */
import { TouchstoneError } from "../errors.ts";

/** The guard of a step is above 2^20 (docs/numerics.md, section 4): the run has diverged, or its data or state is not finite. */
export class InvalidStepError extends TouchstoneError {
  readonly code = "INVALID_STEP";
  /** Step of the call, from 0. */
  readonly step: number;
  readonly guard: number;

  constructor(step: number, guard: number) {
    super(`Step ${step} of the call is invalid: it met the magnitude ${guard}, above 2^20.`, {
      remedy: "Lower the learning rate, or look for values that are not finite in the data and the initial state.",
    });
    this.step = step;
    this.guard = guard;
  }
}

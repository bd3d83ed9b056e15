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

/** A state that no valid step leaves: a word that is not finite or beyond 2^20. */
export class InvalidStateError extends TouchstoneError {
  readonly code = "INVALID_STATE";

  constructor(tensor: number, word: number, value: number) {
    super(`State tensor ${tensor} holds ${value} at word ${word}; no valid step leaves a magnitude above 2^20.`, {
      remedy: "It is not a state of this run: read it again, or dispute the checkpoint that it came from.",
    });
  }
}

/** The runtime below an engine failed: it could not load the model, a kernel refused its input, or its thread died. */
export class EngineFailedError extends TouchstoneError {
  readonly code = "ENGINE_FAILED";
  readonly problem: string;

  constructor(engine: string, problem: string, options: { cause?: unknown } = {}) {
    super(`The engine ${engine} failed: ${problem}.`, {
      ...options,
      remedy: "Run `touchstone conformance` to see what this machine's engine can do; memory may also be short.",
    });
    this.problem = problem;
  }
}

/** The engine was closed before or during the call. */
export class EngineClosedError extends TouchstoneError {
  readonly code = "ENGINE_CLOSED";

  constructor(engine: string) {
    super(`The engine ${engine} is closed.`);
  }
}

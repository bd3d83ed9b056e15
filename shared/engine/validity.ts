/** The guard's bound (docs/numerics.md, section 4). */
import { InvalidStepError } from "./errors.ts";

/** A step is valid when nothing that its guard measures is larger. */
export const GUARD_LIMIT = 2 ** 20;

/** @throws InvalidStepError when the guard is above the limit or not a number. */
export function assertValidStep(step: number, guard: number): void {
  if (!(guard <= GUARD_LIMIT)) throw new InvalidStepError(step, guard);
}

/** The guard's bound (docs/numerics.md, section 4). */
import { GUARD_LIMIT } from "../numerics/guard.ts";
import { Dtype } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";
import { InvalidStateError, InvalidStepError } from "./errors.ts";

/** @throws InvalidStepError when the guard is above the limit or not a number. */
export function assertValidStep(step: number, guard: number): void {
  if (!(guard <= GUARD_LIMIT)) throw new InvalidStepError(step, guard);
}

/** @throws InvalidStateError when a word is not a number or beyond the limit. */
export function assertValidState(state: readonly Tensor[]): void {
  for (const [p, { dtype, words }] of state.entries()) {
    const { buffer, byteOffset, length } = words;
    const values =
      dtype === Dtype.float32
        ? new Float32Array(buffer, byteOffset, length)
        : new Int32Array(buffer, byteOffset, length);
    const at = values.findIndex((value) => !(Math.abs(value) <= GUARD_LIMIT));
    if (at !== -1) throw new InvalidStateError(p, at, values[at]!);
  }
}

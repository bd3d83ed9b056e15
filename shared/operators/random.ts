/** Random: words that depend on the seed, the step and a stream alone (docs/numerics.md, section 2.12). Twin of `contracts/rules/Random.sol`. */
import { fromNumber } from "../numerics/float32.ts";
import { randomWord } from "../numerics/philox.ts";
import { Dtype, type RandomOperator } from "../program/descriptor.ts";
import type { StepPosition } from "./read.ts";

/** A number in [0, 1) from the upper 24 bits of a random word, exact in float32. */
export function unitNumber(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** The word of one element. */
export function randomElement(operator: RandomOperator, element: number, { seed, step }: StepPosition): number {
  const word = randomWord(seed, step, operator.stream, element);
  return operator.dtype === Dtype.float32 ? fromNumber(unitNumber(word)) : word;
}

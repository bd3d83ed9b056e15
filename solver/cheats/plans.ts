/** The lies that several cheats tell. */

import { type Job, segmentCount, segmentSteps } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { CheatContext, CheatPlan, Lie } from "./cheat.ts";
import { sameState } from "./firstDifference.ts";
import type { CheatRandom } from "./random.ts";
import { rerunWithOutput } from "./rerun.ts";

/** A lie about one step. */
export function oneStep(step: number, lie: Lie): CheatPlan {
  return { firstStep: step, lastStep: step, lie };
}

/** A step of the run. */
export function anyStep({ job, random }: CheatContext, from = 0): number {
  return from + random.below(job.steps - from);
}

/** The last step of a segment: a difference of a digit or two may be lost again in later steps, but here it is committed. */
export function anyLastStep({ job, random }: CheatContext): number {
  const { firstStep, stepCount } = segmentSteps(job, random.below(segmentCount(job)));
  return firstStep + stepCount - 1;
}

export function withWord(tensor: Tensor, at: number, word: number): Tensor {
  const words = tensor.words.slice();
  words[at] = word;
  return { ...tensor, words };
}

/** The float32 word `units` units in the last place further from zero. */
export function furtherByUlps(word: number, units: number): number {
  return (word + units) >>> 0;
}

/** Whether a word is a normal float32 number whose neighbours are finite: the numbers that a program computes with. */
export function isNormal(word: number): boolean {
  const exponent = (word >>> 23) & 0xff;
  return exponent > 0 && exponent < 0xfe;
}

/** Which element to change, and how: `attempt` counts up while the change has no effect on the state after the step. */
export type Attempt = (attempt: number) => {
  readonly operators: readonly number[];
  readonly change: (word: number) => number;
};

/** Attempts before the last one is taken as it is. */
export const ATTEMPTS = 32;

/**
 * The step with one element of one operator changed, and everything that follows from it. A change that is lost in rounding
 * before it reaches the state would be no cheat, so another one is tried.
 */
export function changedElement(job: Job, step: number, random: CheatRandom, attempts: Attempt): Lie {
  let chosen: { readonly operator: number; readonly at: number; readonly word: number } | null = null;
  return async (before, honest) => {
    const apply = async (operator: number, at: number, word: number) =>
      rerunWithOutput(job, step, before, operator, withWord(honest.outputs[operator]!, at, word).words);
    if (chosen !== null) return apply(chosen.operator, chosen.at, chosen.word);
    for (let attempt = 0; ; attempt++) {
      const { operators, change } = attempts(attempt);
      const operator = random.pick(operators);
      const { words } = honest.outputs[operator]!;
      const at = random.below(words.length);
      const isLast = attempt === ATTEMPTS - 1;
      if (!isNormal(words[at]!) && !isLast) continue;
      const word = change(words[at]!);
      const lying = await apply(operator, at, word);
      if (sameState(lying.state, honest.state) && !isLast) continue;
      chosen = { operator, at, word };
      return lying;
    }
  };
}

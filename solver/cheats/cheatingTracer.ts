/** A solver's numbers under a cheat: honest steps, except where the plan lies; always the same for the same step and state. */
import { formatWord, type LocatedFault, tensorName } from "../../shared/dispute/located.ts";
import type { TracedStep, Tracer } from "../../shared/dispute/segmentEvidence.ts";
import type { Job } from "../../shared/job/job.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { CheatPlan } from "./cheat.ts";
import { firstDifference } from "./firstDifference.ts";

export class CheatingTracer implements Tracer {
  readonly #job: Job;
  readonly #honest: Tracer;
  readonly #plan: CheatPlan;
  /** The first fault, once the run has come to it. */
  injected: LocatedFault | null = null;

  constructor(job: Job, honest: Tracer, plan: CheatPlan) {
    this.#job = job;
    this.#honest = honest;
    this.#plan = plan;
  }

  /** Whether the step must be traced for the lie to be in it. */
  liesAt(step: number): boolean {
    return step >= this.#plan.firstStep && step <= this.#plan.lastStep;
  }

  async trace(step: number, state: readonly Tensor[]): Promise<TracedStep> {
    const before = this.trim(state);
    const honest = await this.#honest.trace(step, before);
    if (!this.liesAt(step)) return honest;
    const lying = await this.#plan.lie(before, honest);
    if (step === this.#plan.firstStep) this.injected = this.#report(step, honest, lying);
    return lying;
  }

  /** The tensors as an engine takes them: without words that a lie has put behind their end. */
  trim(state: readonly Tensor[]): readonly Tensor[] {
    return state.map((tensor) => {
      const count = wordCount(tensor.shape);
      return tensor.words.length === count ? tensor : { ...tensor, words: tensor.words.slice(0, count) };
    });
  }

  #report(step: number, honest: TracedStep, lying: TracedStep): LocatedFault | null {
    const difference = firstDifference(honest, lying);
    if (difference === null) return null;
    const { tensor, ofState, tile, element, expected, claimed } = difference;
    return {
      segment: Math.floor(step / this.#job.interval),
      step,
      operator: tensorName(this.#job.program, tensor, ofState),
      tile,
      element,
      expectedBits: formatWord(expected),
      claimedBits: formatWord(claimed),
    };
  }
}

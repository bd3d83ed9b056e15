/**
 * What a cheat is: a solver's numbers with one fault in them, computed on consistently, and the kind of move at which it falls
 * silent. For drills: whoever runs one commits a fault under its own bond.
 */

import type { DefendantMove } from "../../shared/dispute/moves.ts";
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import type { Job } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { CheatRandom } from "./random.ts";

/** The lie about one step: from the state before it and what an honest solver computes. */
export type Lie = (before: readonly Tensor[], honest: TracedStep) => Promise<TracedStep>;

/** A cheat made up for one run: which steps it lies about, and how. */
export interface CheatPlan {
  /** First and last step of the lie, counted over the whole run. */
  readonly firstStep: number;
  readonly lastStep: number;
  readonly lie: Lie;
}

export interface CheatContext {
  readonly job: Job;
  readonly initialState: readonly Tensor[];
  readonly random: CheatRandom;
}

export interface Cheat {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What a model must have for it; absent where any training will do. */
  readonly needs?: string;
  /** The kind of move that it never makes, so that its clock runs out. */
  readonly silentAt?: DefendantMove["kind"];
  /** @throws CheatImpossibleError when the program offers no place for it. */
  plan(context: CheatContext): CheatPlan;
}

export class CheatImpossibleError extends TouchstoneError {
  readonly code = "CHEAT_IMPOSSIBLE";
  constructor(cheat: string, why: string) {
    super(`The cheat ${cheat} has no place in this run: ${why}.`, { remedy: "Choose another with --cheat." });
  }
}

/** Whether a challenger can make its moves within its clock: known before a bond is staked. */
import { rebuiltSteps } from "../shared/dispute/segmentEvidence.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { MARGIN } from "../shared/service/assess.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";

/** A challenge that this machine would lose by time, however right it is. */
export class ChallengeTimeError extends TouchstoneError {
  readonly code = "CHALLENGE_TIME";
  constructor(segment: number, given: number, needed: number) {
    super(
      `A dispute about segment ${segment} gives its challenger ${given} s (clock + choiceGrace); this machine may need ` +
        `${Number.isFinite(needed) ? `${needed} s` : "longer than it could measure"}.`,
      {
        remedy: "It is not challenged from here: 'touchstone-verifier challenge' on a faster machine may still do so.",
      },
    );
  }
}

/** How far the evidence of a segment has come. */
export interface EvidenceProgress {
  readonly done: number;
  readonly stepCount: number;
  /** Since the first step was begun. */
  readonly seconds: number;
}

/**
 * @param digest whether the dispute may be about a replay digest, for which the segment is traced once more.
 * @throws ChallengeTimeError when what is left of the evidence and the trees of a disputed step may take longer than the clock.
 */
export function requireChallengeTime(
  segment: number,
  { clock, choiceGrace }: Pick<LoadedTask["spec"], "clock" | "choiceGrace">,
  { done, stepCount, seconds }: EvidenceProgress,
  digest: boolean,
): void {
  const given = clock + choiceGrace;
  const traces = stepCount - done + Math.max(rebuiltSteps(stepCount), digest ? stepCount : 0);
  const needed = done === 0 ? Number.POSITIVE_INFINITY : Math.ceil((seconds / done) * traces * MARGIN);
  if (given < needed) throw new ChallengeTimeError(segment, given, needed);
}

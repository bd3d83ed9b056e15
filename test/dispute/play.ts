/** Plays whole disputes in memory: evidence and strategies of both sides against the simulated game. */
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { accuse } from "../../shared/dispute/challenger.ts";
import { type ClaimPartials, defend } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import type { DisputedSegment } from "../../shared/dispute/events.ts";
import type { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, segmentSteps } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { SimulatedGame } from "./simulatedGame.ts";

export const DEFENDANT = "0x00000000000000000000000000000000000000d1";

export function honestTracer(job: Job): Tracer {
  return engineTracer(job, new ReferenceEngine(job.program));
}

/** The subject of a dispute about the defendant's segment as its evidence has it. */
export function subjectOf(job: Job, segment: number, defendant: SegmentEvidence): DisputedSegment {
  return {
    segment,
    defendant: DEFENDANT,
    startRoot: defendant.startRoot,
    endRoot: defendant.endRoot,
    ...segmentSteps(job, segment),
    digestRoot: ZERO_BYTES32,
    beacon: ZERO_BYTES32,
  };
}

/** Replays from the initial state up to a segment and through it. */
export async function evidenceOf(
  job: Job,
  tracer: Tracer,
  initial: readonly Tensor[],
  segment: number,
): Promise<SegmentEvidence> {
  let state = initial;
  const range = segmentSteps(job, segment);
  for (let step = 0; step < range.firstStep; step++) state = (await tracer.trace(step, state)).state;
  return SegmentEvidence.replay(tracer, state, range);
}

export interface PlayOptions {
  readonly claimPartials?: ClaimPartials;
}

/** Plays until somebody is convicted. */
export async function play(
  run: Run,
  subject: DisputedSegment,
  defendant: SegmentEvidence,
  challenger: SegmentEvidence,
  options: PlayOptions = {},
): Promise<SimulatedGame> {
  const game = new SimulatedGame(run, subject);
  const claim = options.claimPartials === undefined ? {} : { claimPartials: options.claimPartials };
  while (game.walk.outcome === null) {
    const move = (await defend(run, defendant, game.walk, claim)) ?? (await accuse(run, challenger, game.walk));
    if (move === null) throw new Error("nobody moves");
    game.play(move);
  }
  return game;
}

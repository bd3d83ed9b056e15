/** A task on the chain, accepted by a solver, and what an honest party computes of it. */
import type { Hex } from "viem";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type TracedStep, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, segmentCount, segmentSteps } from "../../shared/program/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { commitTraining } from "../../shared/program/training.ts";
import { type Arena, by, deployArena, networkHelpers, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask, TERMS } from "../contracts/support/task.ts";
import { Claim } from "./claim.ts";

export type Training = ReturnType<typeof commitTraining>;

export interface Stage {
  readonly job: Job;
  readonly run: Run;
  readonly initial: readonly Tensor[];
  readonly training: Training;
  readonly tracer: Tracer;
  /** Honest segments, each from the honest one before. */
  readonly honest: readonly Claim[];
  readonly arena: Arena;
  readonly taskId: Hex;
  /** Goes back to an accepted task without checkpoints. */
  accepted(): Promise<void>;
  /** Goes back to the accepted task and commits honest checkpoints; the only verifier is drawn for each. */
  drawn(): Promise<void>;
  /** An honest party's evidence of a segment from the state that is committed before it. */
  evidence(segment: number, start: readonly Tensor[]): Promise<SegmentEvidence>;
}

/** Traces each step from each state once. */
function remembering(tracer: Tracer): Tracer {
  const known = new WeakMap<readonly Tensor[], Map<number, Promise<TracedStep>>>();
  return {
    trace(step, state) {
      let steps = known.get(state);
      if (steps === undefined) {
        steps = new Map();
        known.set(state, steps);
      }
      const traced = steps.get(step) ?? tracer.trace(step, state);
      steps.set(step, traced);
      return traced;
    },
  };
}

export async function openStage(job: Job, initial: readonly Tensor[]): Promise<Stage> {
  const tracer = remembering(engineTracer(job, new ReferenceEngine(job.program)));
  const training = commitTraining(job, initial);
  const honest: Claim[] = [];
  let state = initial;
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const range = segmentSteps(job, segment);
    const start = state;
    const steps: TracedStep[] = [];
    for (let step = 0; step < range.stepCount; step++) {
      const traced = await tracer.trace(range.firstStep + step, state);
      steps.push(traced);
      state = traced.state;
    }
    honest.push(new Claim(range, start, steps));
  }
  const arena = await deployArena();
  await arena.market.write.joinSeats([1n], by(wallets.verifier));
  const taskId = await startTask(arena, specOf(training, TIMES));
  const accepted = await networkHelpers.takeSnapshot();
  const evidenceOf = new WeakMap<readonly Tensor[], Promise<SegmentEvidence>>();
  return {
    job,
    run: new Run(job),
    initial,
    training,
    tracer,
    honest,
    arena,
    taskId,
    async accepted() {
      await accepted.restore();
    },
    async drawn() {
      await accepted.restore();
      for (const [segment, { endRoot }] of honest.entries()) await append(arena, taskId, segment, endRoot);
      await networkHelpers.mine(TERMS.beaconDelay + 1);
      for (const segment of honest.keys()) await arena.market.write.draw([taskId, segment], by(wallets.stranger));
    },
    evidence(segment, start) {
      let evidence = evidenceOf.get(start);
      if (evidence === undefined) {
        evidence = SegmentEvidence.replay(tracer, start, segmentSteps(job, segment));
        evidenceOf.set(start, evidence);
      }
      return evidence;
    },
  };
}

/** Long clocks: a walk of many moves, each a second. */
export const TIMES = { clock: 36_000 } as const;

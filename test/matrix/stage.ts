/** A task on the chain, accepted by a solver, and what an honest party computes of it. */
import { decodeErrorResult, type Hex } from "viem";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { digestSeal } from "../../shared/commitment/digest.ts";
import { digestOf } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type TracedStep, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, segmentCount, segmentSteps } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import type { Tensor } from "../../shared/program/program.ts";
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
  /** Goes back to where the verifier has attested all the honest checkpoints, if the stage is one for that. */
  attested(): Promise<void>;
  /** The name of an error of the contracts. */
  errorName(data: Hex): string;
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

const SALT = `0x${"5a".repeat(32)}` as const;

/** @param options.attested with honest checkpoints that the verifier has attested, for disputes without a case. */
export async function openStage(
  job: Job,
  initial: readonly Tensor[],
  options: { readonly attested?: boolean } = {},
): Promise<Stage> {
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
  const run = new Run(job);
  const draw = async (): Promise<void> => {
    for (const [segment, { endRoot }] of honest.entries()) await append(arena, taskId, segment, endRoot);
    await networkHelpers.mine(TERMS.beaconDelay + 1);
    for (const segment of honest.keys()) await arena.market.write.draw([taskId, segment], by(wallets.stranger));
  };
  const attest = async (): Promise<void> => {
    const verifier = wallets.verifier.account.address;
    const digests = await Promise.all(
      honest.map(async ({ evidence }, segment) => {
        const { beacon } = await arena.market.read.segmentOf([taskId, segment]);
        return (await digestOf(run, evidence, { beacon, defendant: verifier })).root;
      }),
    );
    for (const [segment, digest] of digests.entries()) {
      const [, place] = await arena.market.read.isDrawn([taskId, segment, verifier]);
      const sealed = digestSeal(taskId, segment, verifier, SALT, digest);
      await arena.market.write.seal([taskId, segment, place, sealed], by(wallets.verifier));
    }
    await networkHelpers.time.increase(TERMS.sealWindow + 1);
    for (const [segment, digest] of digests.entries()) {
      await arena.market.write.reveal([taskId, segment, SALT, digest], by(wallets.verifier));
    }
  };
  if (options.attested === true) {
    await draw();
    await attest();
  }
  const begun = await networkHelpers.takeSnapshot();
  const evidenceOf = new WeakMap<readonly Tensor[], Promise<SegmentEvidence>>();
  return {
    job,
    run,
    initial,
    training,
    tracer,
    honest,
    arena,
    taskId,
    accepted: () => begun.restore(),
    attested: () => begun.restore(),
    async drawn() {
      await begun.restore();
      await draw();
    },
    errorName(data) {
      const abi = [...contractAbi("DisputeGame"), ...contractAbi("Referee"), ...contractAbi("TrainingMarket")];
      return decodeErrorResult({ abi, data }).errorName;
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

/** One segment by explicit command: replay it, or challenge it and play the dispute to its end. */
import { type Address, type Hex, parseEventLogs } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { ExitCode } from "../shared/cli.ts";
import { NoDifferenceError } from "../shared/dispute/challenger.ts";
import { digestOf } from "../shared/dispute/defendant.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentCount } from "../shared/job/job.ts";
import { createProgress } from "../shared/progress.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { DisputePlayer } from "../shared/service/disputePlayer.ts";
import { type LoadedTask, loadTask } from "../shared/service/loadTask.ts";
import { type BookedTask, type DisputedSubject, isMoot, type MarketBook } from "../shared/service/marketBook.ts";
import { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import { challengerStrategy } from "./challengerStrategy.ts";
import { requireChallengeTime } from "./challengeTime.ts";
import { accuseFalsely, type Below } from "./falseAccuser.ts";
import { Replayer } from "./replayer.ts";

export class SegmentUnknownError extends TouchstoneError {
  readonly code = "SEGMENT_UNKNOWN";
  constructor(taskId: Hex, segment: number, detail: string) {
    super(`Segment ${segment} of task ${taskId} cannot be replayed: ${detail}.`);
  }
}

export interface SegmentOptions {
  readonly task: Hex;
  readonly segment: number;
  readonly fromBlock: bigint;
}

export interface ChallengeOptions extends SegmentOptions {
  /** The solver by default. */
  readonly defendant?: Address;
  /** Challenge whatever the replay says, and play without a case. */
  readonly lie?: Below;
}

type ReadContext = Pick<ServiceContext, "chain" | "deployment" | "store" | "output" | "engine" | "signal">;

interface Opened {
  readonly watch: MarketWatch;
  readonly booked: BookedTask;
  readonly task: LoadedTask;
  readonly replayer: Replayer;
}

/** @returns faultFound when the segment does not end in its committed checkpoint. */
export async function replay(context: ReadContext, options: SegmentOptions): Promise<ExitCode> {
  const { output, signal } = context;
  return withTask(context, options, async ({ task, replayer }) => {
    const { segment } = options;
    const { interval } = task.job;
    const progress = createProgress(`segment ${segment}`, interval, output.json);
    const { verdict } = await replayer.replay(segment, { signal, onStep: (done) => progress.update(done) });
    progress.finish();
    const equal = verdict === "equal";
    output.event(
      "replayed",
      { taskId: options.task, segment, equal },
      equal
        ? `segment ${segment} ends in its committed checkpoint`
        : `FAULT: segment ${segment} does not end in its committed checkpoint`,
    );
    return equal ? ExitCode.done : ExitCode.faultFound;
  });
}

/**
 * @returns done when the defendant was convicted, faultFound when this challenger was.
 * @throws NoDifferenceError when there is nothing to challenge and no lie is asked for, ChallengeTimeError when a challenge would be
 * lost by time.
 */
export async function challenge(context: ServiceContext, options: ChallengeOptions): Promise<ExitCode> {
  const { output, sender, deployment, chain } = context;
  return withTask(context, options, async ({ watch, booked, task, replayer }) => {
    const { segment, task: taskId, lie } = options;
    const defendant = options.defendant ?? booked.solver!;
    const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
    const args = [taskId, segment, defendant] as const;
    const { training } = task.spec;
    const subject = await chain.client.readContract({
      ...market,
      functionName: "subjectOf",
      args: [...args, training],
    });
    const evidence = await replayer.evidence(segment);
    if (lie === undefined) {
      const ownDigest = isSameAddress(defendant, booked.solver!)
        ? subject.digestRoot
        : (await digestOf(task.run, evidence, subject)).root;
      if (evidence.endRoot === subject.endRoot && ownDigest === subject.digestRoot)
        throw new NoDifferenceError("segment");
      output.event("fault", { taskId, segment, defendant }, `FAULT of ${defendant} in segment ${segment}`);
    }
    let disputeId = liveDispute(watch.book, subject, sender.address);
    if (disputeId === undefined) {
      if (lie === undefined)
        requireChallengeTime(segment, task.spec, replayer.progress(segment), !isSameAddress(defendant, booked.solver!));
      disputeId = await openDispute(context, taskId, segment, defendant, training);
    }
    const chores = new Chores(context);
    const player = new DisputePlayer(
      context,
      lie === undefined
        ? challengerStrategy(task.run, output, (at, deadline) => replayer.evidence(at, deadline))
        : {
            role: "challenger",
            move: async ({ walk }) => accuseFalsely(task.run, evidence, walk, lie),
          },
    );
    for (;;) {
      const { version, book } = watch;
      const dispute = book.disputes.get(disputeId);
      if (dispute !== undefined) player.attend(dispute);
      const outcome = dispute?.walk.outcome ?? null;
      if (outcome !== null) {
        await player.settle();
        // The outcome itself is told by the player.
        player.attend(dispute!);
        await player.settle();
        return outcome.defendantConvicted ? ExitCode.done : ExitCode.faultFound;
      }
      if (dispute?.moot) {
        output.event("moot", { disputeId }, "the defendant was convicted in another dispute; the bond is back");
        return ExitCode.done;
      }
      const current = book.tasks.get(taskId);
      if (dispute !== undefined && current !== undefined && isMoot(current, dispute)) {
        chores.start("bond", () => closeMoot(context, disputeId), ["DisputeNotMoot"]);
      }
      await watch.next(version);
    }
  });
}

/** A dispute of this challenger about the subject that an earlier call of the program has opened. */
function liveDispute(
  { disputes }: MarketBook,
  { taskId, segment, defendant }: DisputedSubject,
  account: Address,
): Hex | undefined {
  for (const { disputeId, subject, challenger, walk, moot } of disputes.values()) {
    const isAbout = subject.taskId === taskId && subject.segment === segment;
    const isBetween = isSameAddress(subject.defendant, defendant) && isSameAddress(challenger, account);
    if (isAbout && isBetween && walk.outcome === null && !moot) return disputeId;
  }
  return undefined;
}

/** Anybody may, and a dispute that is decided meanwhile gives its bond back itself. */
async function closeMoot({ sender, deployment }: ServiceContext, disputeId: Hex): Promise<void> {
  const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
  await sender.send({ ...market, functionName: "closeMoot", args: [disputeId] });
}

async function openDispute(
  context: ServiceContext,
  taskId: Hex,
  segment: number,
  defendant: Address,
  training: DisputedSubject["training"],
): Promise<Hex> {
  const { output, sender, deployment, chain } = context;
  const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
  const args = [taskId, segment, defendant] as const;
  const { hash, gasUsed, receipt } = await new Purse(context).spend(
    () => chain.client.readContract({ ...market, functionName: "challengeBond", args }),
    "the challenger's bond",
    () => sender.send({ ...market, functionName: "challenge", args: [...args, training] }),
  );
  // The simulation's return value can be another dispute's: only the log says which one this transaction opened.
  const [challenged] = parseEventLogs({ abi: market.abi, logs: receipt.logs, eventName: "Challenged" });
  const { disputeId } = challenged!.args;
  output.event(
    "challenged",
    { taskId, segment, defendant, disputeId, transaction: hash, gas: gasUsed },
    `challenged segment ${segment}: dispute ${disputeId}`,
  );
  return disputeId;
}

async function withTask(
  context: ReadContext,
  { task: taskId, segment, fromBlock }: SegmentOptions,
  use: (opened: Opened) => Promise<ExitCode>,
): Promise<ExitCode> {
  const watch = new MarketWatch(context, fromBlock);
  try {
    const { chain, deployment } = context;
    const stored = await chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [taskId],
    });
    if (stored.status === 0) throw new SegmentUnknownError(taskId, segment, "this market has no such task");
    await watch.until(() => (watch.book.tasks.get(taskId)?.checkpoints.length ?? -1) >= stored.committed);
    const booked = await watch.task(taskId);
    const segments = segmentCount(booked.spec.training);
    if (segment >= segments) {
      throw new SegmentUnknownError(taskId, segment, `its segments are numbered 0 to ${segments - 1}`);
    }
    if (segment >= stored.committed) throw new SegmentUnknownError(taskId, segment, "it is not committed yet");
    const task = await loadTask(context, booked);
    try {
      const replayer = new Replayer(task, context.store, () => watch.book.tasks.get(taskId)?.checkpoints ?? []);
      return await use({ watch, booked, task, replayer });
    } finally {
      await task.engine.close();
    }
  } finally {
    await watch.close();
  }
}

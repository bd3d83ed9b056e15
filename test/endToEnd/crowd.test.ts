/**
 * A crowd without a case against one honest solver, which is the real service in one process: how long the crowd can keep a task from
 * being final, in block time, and whether the solver answers everything within its clocks. Half of the crowd accuses falsely as far as
 * the rules let it, the other half falls silent when its turn comes. Crowds of 64 are for the deep run.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Hex } from "viem";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentCount, segmentSteps } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { DisputePlayer } from "../../shared/service/disputePlayer.ts";
import { MarketWatch } from "../../shared/service/marketWatch.ts";
import { work as solve } from "../../solver/service.ts";
import { accuseFalsely } from "../../verifier/falseAccuser.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Random } from "../helpers/random.ts";
import { Stage, TERMS } from "./stage.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const CROWDS = DEEP ? [1, 8, 64] : [1, 8];
const TOKEN = 10n ** 18n;
const BOND = 7n * TOKEN;
/** Seconds of block time that a transaction takes here at most: each has a block of its own. */
const BLOCK = 2;
const job = smallJob({ steps: 24, interval: 3 });
const taskPackage = { name: "crowd", job, initialState: smallInitialState() };

let stage: Stage;
before(async () => {
  stage = await Stage.build();
});
after(async () => {
  await stage?.close();
});

interface Finality {
  /** Seconds of block time from the first challenge to the last verdict, and what the protocol allows for them. */
  readonly lasted: number;
  readonly bound: number;
  /** The greatest share of its clock that the solver used in a dispute. */
  readonly used: number;
}

describe("a crowd without a case", () => {
  for (const size of CROWDS) {
    // One challenger is about one segment.
    for (const segments of size === 1 ? [1] : [1, 8]) {
      const about = segments === 1 ? "one segment" : `${segments} segments`;
      it(`of ${size} about ${about} loses to one honest solver, and is over in time`, async (t) => {
        const { lasted, bound, used } = await besiege(size, segments);
        assert.ok(lasted <= bound, `${lasted} s, the protocol allows ${bound} s`);
        assert.ok(used < 1, `the solver used ${used} of its clock`);
        t.diagnostic(
          `${size} about ${about}: final after ${lasted} s of at most ${bound} s, ${(100 * used).toFixed(0)} % of a clock`,
        );
      });
    }
  }
});

async function besiege(size: number, segments: number): Promise<Finality> {
  const stop = new AbortController();
  const requester = await stage.account();
  const taskId = await stage.post(requester, taskPackage, { challengerBond: BOND, draws: 0, challengeWindow: 6000 });
  const solver = stage.context(`solver-${size}-${segments}`, await stage.account(), stop.signal);
  const solving = solve(solver, { task: taskId, once: true });
  const crowd = stage.context(`crowd-${size}-${segments}`, await stage.account(100_000n * TOKEN), stop.signal);
  const watch = new MarketWatch(crowd);
  await watch.until(() => watch.book.tasks.get(taskId)?.checkpoints.length === segmentCount(job));

  const evidence = await honestEvidence();
  const run = new Run(job);
  const silent = new Set<Hex>();
  const random = new Random(size + segments);
  const player = new DisputePlayer(crowd, {
    role: "challenger",
    move: async ({ disputeId, subject, walk }) =>
      silent.has(disputeId)
        ? null
        : accuseFalsely(run, evidence[subject.segment]!, walk, (bound) => random.below(bound)),
  });
  const disputes = await challengeAll(crowd, taskId, solver.sender.address, size, segments);
  for (const [at, disputeId] of disputes.entries()) if (at % 2 === 1 || size === 1) silent.add(disputeId);
  const open = () => disputes.filter((id) => (watch.book.disputes.get(id)?.walk.outcome ?? null) === null);
  for (;;) {
    const { version } = watch;
    for (const id of disputes) {
      const dispute = watch.book.disputes.get(id);
      if (dispute !== undefined) player.attend(dispute);
    }
    const left = open();
    if (left.length === 0) break;
    const waiting = left.every((id) => silent.has(id) && watch.book.disputes.get(id)?.walk.turn === "challenger");
    // Only the clocks of those who say nothing are left to run out; the solver claims that they have.
    if (waiting) await stage.advancePast(await lastDeadline(left));
    await watch.next(version);
  }
  for (const id of disputes) assert.equal(watch.book.disputes.get(id)!.walk.outcome!.defendantConvicted, false);
  const measured = await measure(disputes, size);
  await player.settle();
  const { finalAt } = await stage.chain.client.readContract({ ...stage.market, functionName: "task", args: [taskId] });
  await stage.advancePast(finalAt);
  assert.equal(await solving, 0, "the task settles");
  await watch.close();
  stop.abort();
  // Its own money, the price, and half of every bond that the crowd has lost.
  const lost = (BigInt(size * (size + 1)) / 2n) * BOND;
  assert.ok((await stage.tokens(solver.sender.address)) >= 10_000n * TOKEN + TERMS.price);
  assert.ok((await stage.tokens(crowd.sender.address)) >= 100_000n * TOKEN - lost);
  return measured;
}

async function honestEvidence(): Promise<SegmentEvidence[]> {
  const tracer = engineTracer(job, new ReferenceEngine(job.program));
  const evidence: SegmentEvidence[] = [];
  let state = taskPackage.initialState;
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const range = segmentSteps(job, segment);
    evidence.push(await SegmentEvidence.replay(tracer, state, range));
    for (let i = 0; i < range.stepCount; i++) state = [...(await tracer.trace(range.firstStep + i, state)).state];
  }
  return evidence;
}

type Context = ReturnType<Stage["context"]>;

/** Opens all disputes, one after the other, and returns their ids. */
async function challengeAll(
  { sender }: Context,
  taskId: Hex,
  defendant: Hex,
  size: number,
  segments: number,
): Promise<Hex[]> {
  const spent = (BigInt(size * (size + 1)) / 2n) * BOND;
  await sender.send({
    address: stage.deployment.token,
    abi: contractAbi("LocalToken"),
    functionName: "approve",
    args: [stage.deployment.market, spent],
  });
  const training = commitTraining(job, taskPackage.initialState);
  const disputes: Hex[] = [];
  for (let n = 0; n < size; n++) {
    const args = [taskId, n % segments, defendant, training] as const;
    const { result } = await sender.send({ ...stage.market, functionName: "challenge", args });
    disputes.push(result);
  }
  return disputes;
}

async function lastDeadline(disputes: readonly Hex[]): Promise<bigint> {
  const game = { address: stage.deployment.game, abi: contractAbi("DisputeGame"), functionName: "deadline" } as const;
  const read = (id: Hex) => stage.chain.client.readContract({ ...game, args: [id] });
  const deadlines = await Promise.all(disputes.map((id) => read(id).catch(() => 0n)));
  return deadlines.reduce((most, each) => (each > most ? each : most), 0n);
}

/** Names of the logs that end a turn of the defendant. */
const DEFENCES: ReadonlySet<string> = new Set(["Answered", "NodeOpened", "TileOpened", "PartialsClaimed"]);

async function measure(disputes: readonly Hex[], size: number): Promise<Finality> {
  const { client } = stage.chain;
  const logs = await client.getContractEvents({
    address: stage.deployment.game,
    abi: contractAbi("DisputeGame"),
    fromBlock: 0n,
  });
  const times = new Map<bigint, number>();
  for (const { blockNumber } of logs) {
    if (!times.has(blockNumber)) times.set(blockNumber, Number((await client.getBlock({ blockNumber })).timestamp));
  }
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let used = 0;
  for (const [at, disputeId] of disputes.entries()) {
    const own = logs.filter(({ args }) => (args as { disputeId: Hex }).disputeId === disputeId);
    let moved = times.get(own[0]!.blockNumber)!;
    let spent = 0;
    first = Math.min(first, moved);
    for (const { eventName, blockNumber } of own.slice(1)) {
      const time = times.get(blockNumber)!;
      if (DEFENCES.has(eventName)) spent += time - moved;
      moved = time;
    }
    last = Math.max(last, moved);
    // It was opened when `at` others were live.
    used = Math.max(used, spent / (TERMS.clock + (at + 1) * TERMS.answerGrace));
  }
  // docs/protocol.md, section 3: both clocks of the last dispute, and a block for each challenge before it and each claim after it.
  const bound = 2 * TERMS.clock + size * TERMS.answerGrace + TERMS.choiceGrace + 2 * size * BLOCK;
  return { lasted: last - first, bound, used };
}

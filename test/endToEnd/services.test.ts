/** The services in one process on a real chain: several disputes at once, a verifier that lies, a solver that hides its work. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import { digestSeal } from "../../shared/commitment/digest.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import { defend, digestOf } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Level } from "../../shared/dispute/position.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentSteps } from "../../shared/program/job.ts";
import { DisputePlayer } from "../../shared/service/disputePlayer.ts";
import { MarketWatch } from "../../shared/service/marketWatch.ts";
import { Purse } from "../../shared/service/purse.ts";
import { contentIdOf } from "../../shared/store/contentId.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";
import { work as solve } from "../../solver/service.ts";
import { leave } from "../../verifier/leave.ts";
import { work as verify } from "../../verifier/service.ts";
import { challenge } from "../../verifier/single.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Random } from "../helpers/random.ts";
import { type CollectedContext, Stage, TERMS } from "./stage.ts";

const job = smallJob({ steps: 6, interval: 3 });
const taskPackage = { name: "small", job, initialState: smallInitialState() };

let stage: Stage;
before(async () => {
  stage = await Stage.build();
});
after(() => stage?.close());

/** Waits for an event of a service, past or to come, while the service runs. */
async function waitFor(
  { events }: CollectedContext,
  event: string,
  accept: (event: Readonly<Record<string, unknown>>) => boolean = () => true,
): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const found = events.find((candidate) => candidate.event === event && accept(candidate));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A service under a signal of its own. */
async function serving(name: string, tokens?: bigint) {
  const stop = new AbortController();
  const context = stage.context(name, await stage.account(tokens), stop.signal);
  return { context, stop: () => stop.abort(new Error("the test is over")) };
}

async function post(): Promise<Hex> {
  return stage.post(await stage.account(), taskPackage);
}

test("a solver answers several disputes about one segment side by side", async () => {
  const taskId = await post();
  const { context } = await serving("solver");
  const solving = solve(context, { task: taskId, once: true });
  await waitFor(context, "trained");
  const verdicts = await Promise.all(
    [1, 2, 3].map(async (seed) => {
      const accuser = await serving(`accuser-${seed}`);
      const random = new Random(seed);
      const lie = (bound: number): number => random.below(bound);
      return challenge(accuser.context, { task: taskId, segment: 1, fromBlock: 0n, lie });
    }),
  );
  assert.deepEqual(verdicts, [3, 3, 3]);
  const moves = context.events.filter(({ event }) => event === "move").map(({ move }) => move);
  assert.equal(moves.filter((move) => move === "answer").length, 1, "one answer serves all disputes about a subject");
  assert.deepEqual(
    context.events.filter(({ event }) => event === "problem"),
    [],
  );
  const { finalAt } = await stage.chain.client.readContract({
    ...stage.market,
    functionName: "task",
    args: [taskId],
  });
  await stage.advancePast(finalAt);
  assert.equal(await solving, 0);
});

test("a verifier that reveals a wrong digest is convicted by another", async () => {
  const liar = await serving("liar");
  const purse = new Purse(liar.context);
  const { market, chain } = stage;
  const { sender } = liar.context;
  const stake = await chain.client.readContract({ ...market, functionName: "seatStake" });
  await purse.spend(
    async () => stake,
    "a seat",
    () => sender.send({ ...market, functionName: "joinSeats", args: [1n] }),
  );
  const taskId = await post();
  const solver = await serving("honest-solver");
  const solving = solve(solver.context, { task: taskId, once: true });
  const honest = await serving("watcher");
  const options = { seats: 0, watchAll: true, once: false, fromBlock: 0n, task: taskId };
  const watching = verify(honest.context, options).catch(() => 3);
  await waitFor(honest.context, "replayed", ({ segment }) => segment === 1);

  // The liar has replayed nothing: its digest is right in one leaf and wrong in another.
  const segment = 0;
  const { stateRoot: endRoot, beacon } = await chain.client.readContract({
    ...market,
    functionName: "segmentOf",
    args: [taskId, segment],
  });
  const run = new Run(job);
  const tracer = engineTracer(job, new ReferenceEngine(job.program));
  const evidence = await SegmentEvidence.replay(tracer, taskPackage.initialState, segmentSteps(job, segment));
  assert.equal(evidence.endRoot, endRoot);
  const right = await digestOf(run, evidence, { beacon, defendant: sender.address });
  const wrong = MerkleTree.ofHashes([right.node(0, 0), right.node(0, 2), right.node(0, 2)]);
  const salt = `0x${"5a".repeat(32)}` as const;
  const seal = digestSeal(taskId, segment, sender.address, salt, wrong.root);
  await sender.send({ ...market, functionName: "seal", args: [taskId, segment, 0n, seal] });
  const [sealEnd] = await chain.client.readContract({ ...market, functionName: "windowsOf", args: [taskId, segment] });
  await stage.advancePast(sealEnd);
  await sender.send({ ...market, functionName: "reveal", args: [taskId, segment, salt, wrong.root] });

  const watch = new MarketWatch(liar.context);
  const player = new DisputePlayer(liar.context, {
    role: "defendant",
    async move({ walk }) {
      const { level, height, index } = walk.position;
      if (level === Level.digest) return { kind: "open", children: wrong.opening(height, index) };
      return defend(run, evidence, walk);
    },
  });
  const fault = await waitFor(honest.context, "fault");
  assert.deepEqual([fault.segment, fault.defendant], [segment, sender.address]);
  let resolved: Readonly<Record<string, unknown>> | undefined;
  while (resolved === undefined) {
    const { version } = watch;
    for (const dispute of watch.book.disputes.values()) {
      if (dispute.subject.defendant === sender.address) player.attend(dispute);
    }
    resolved = honest.context.events.find(({ event }) => event === "resolved");
    if (resolved === undefined) await watch.next(version);
  }
  assert.deepEqual([resolved.defendantConvicted, resolved.reason], [true, "digest"]);
  await player.settle();
  await watch.close();
  const attestation = await chain.client.readContract({
    ...market,
    functionName: "attestationOf",
    args: [taskId, segment, sender.address],
  });
  assert.equal(attestation.status, 4, "Convicted");
  honest.stop();
  solver.stop();
  await Promise.all([watching, solving.catch(() => 1)]);
});

test("a checkpoint that nobody can fetch is reported, and the replay goes from the beginning", async () => {
  const { market, chain } = stage;
  const verifier = await serving("drawn");
  const options = { seats: 2, watchAll: false, once: false, fromBlock: 0n };
  const verifying = verify(verifier.context, options).catch(() => 0);
  await waitFor(verifier.context, "ready");
  await stage.localChain.advance(1);

  // Another run than in the tests before, whose checkpoints are in the store.
  const unseen = { ...taskPackage, job: smallJob({ steps: 6, interval: 3, seed: 31 }) };
  const taskId = await stage.post(await stage.account(), unseen);
  const solver = await serving("hiding");
  const hidden = new Map<ContentId, Uint8Array>();
  // Reads what others publish, and keeps its own work to itself.
  const store: Store = {
    location: "hidden",
    get: (id) => stage.store.get(id),
    has: (id) => stage.store.has(id),
    async put(bytes) {
      hidden.set(contentIdOf(bytes), bytes);
      return contentIdOf(bytes);
    },
  };
  const solving = solve({ ...solver.context, store }, { task: taskId, once: true });
  await waitFor(solver.context, "trained");
  assert.equal(hidden.size, 2);

  const ofTask = (event: Readonly<Record<string, unknown>>): boolean => event.taskId === taskId && event.segment === 1;
  assert.equal((await waitFor(verifier.context, "replayed", ofTask)).equal, true);
  await stage.localChain.advance(TERMS.sealWindow / 2);
  assert.equal((await waitFor(verifier.context, "unavailable", ofTask)).code, "STORE_MISSING");
  const { extended } = await chain.client.readContract({ ...market, functionName: "segmentOf", args: [taskId, 1] });
  assert.equal(extended, true);
  verifier.stop();
  solver.stop();
  await Promise.all([verifying, solving.catch(() => 1)]);

  const leaving = { ...verifier.context, signal: new AbortController().signal };
  assert.equal(await leave(leaving, 0n), 1);
  await stage.localChain.advance(86_401);
  assert.equal(await leave(leaving, 0n), 0);
  assert.equal(await stage.tokens(leaving.sender.address), 10_000n * 10n ** 18n);
});

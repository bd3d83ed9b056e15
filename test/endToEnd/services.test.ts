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
import { segmentCount, segmentSteps } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { DisputePlayer } from "../../shared/service/disputePlayer.ts";
import { MarketWatch } from "../../shared/service/marketWatch.ts";
import { Purse } from "../../shared/service/purse.ts";
import { contentIdOf } from "../../shared/store/contentId.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";
import { cheatByName } from "../../solver/cheats/catalogue.ts";
import { work as solve } from "../../solver/service.ts";
import { leave } from "../../verifier/leave.ts";
import { replaySegment } from "../../verifier/replay.ts";
import { work as verify } from "../../verifier/service.ts";
import { challenge } from "../../verifier/single.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Random } from "../helpers/random.ts";
import { Stage, TERMS } from "./stage.ts";

const job = smallJob({ steps: 6, interval: 3 });
const taskPackage = { name: "small", job, initialState: smallInitialState() };

let stage: Stage;
const running: (() => void)[] = [];
const STOPPED = "the test is over";
before(async () => {
  stage = await Stage.build();
});
after(async () => {
  for (const stop of running) stop();
  await stage?.close();
});

/** A service under a signal of its own, whose events can be waited for. */
async function serving(name: string) {
  const stop = new AbortController();
  const context = stage.context(name, await stage.account(), stop.signal);
  const end = (): void => stop.abort(new Error(STOPPED));
  running.push(end);
  let ended: Promise<string> | null = null;
  return {
    context,
    stop: end,
    /** Keeps the service's outcome: the exit code, or why it ended. */
    run(service: Promise<number>): Promise<string> {
      ended = service.then(String, (error: unknown) => (error as Error).message);
      return ended;
    },
    /** The first event, past or to come, that `accept` takes; fails when the service ends without it. */
    async waitFor(event: string, accept: (event: Fields) => boolean = () => true): Promise<Fields> {
      let outcome: string | null = null;
      void ended?.then((reason) => {
        outcome = reason;
      });
      for (;;) {
        const found = context.events.find((candidate) => candidate.event === event && accept(candidate));
        if (found !== undefined) return found;
        assert.equal(outcome, null, `${name} ended before ${event}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

async function post(): Promise<Hex> {
  return stage.post(await stage.account(), taskPackage);
}

/** The first committed segment that does not replay. */
async function faultOf(taskId: Hex): Promise<{ readonly segment: number }> {
  const engine = new ReferenceEngine(job.program);
  let state: readonly Tensor[] = taskPackage.initialState;
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const { end, endRoot } = await replaySegment(job, engine, state, segment);
    const args = [taskId, segment] as const;
    const { stateRoot } = await stage.chain.client.readContract({ ...stage.market, functionName: "segmentOf", args });
    if (stateRoot !== endRoot) return { segment };
    state = end;
  }
  assert.fail("every segment replays");
}

test("a solver answers several disputes about one segment side by side", async () => {
  const taskId = await post();
  const solver = await serving("solver");
  const { context } = solver;
  const solving = solver.run(solve(context, { task: taskId, once: true }));
  await solver.waitFor("trained");
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
  assert.equal(await solving, "0");
});

test("of several challengers of one fault, one convicts and the others get their bonds back", async () => {
  const taskId = await post();
  const cheater = await serving("cheat");
  const cheat = { cheat: cheatByName("weight-bit"), seed: 2n };
  const solving = cheater.run(solve(cheater.context, { task: taskId, once: true, cheat }));
  await cheater.waitFor("trained");
  const { segment } = await faultOf(taskId);
  const about = { task: taskId, segment, fromBlock: 0n };

  // The first opens its dispute and is gone before it makes a move.
  const idle = await serving("idle");
  const opening = idle.run(challenge(idle.context, about));
  await idle.waitFor("challenged");
  idle.stop();
  assert.equal(await opening, STOPPED);

  const challengers = await Promise.all([1, 2].map((each) => serving(`challenger-${each}`)));
  const verdicts = await Promise.all(challengers.map((each) => challenge(each.context, about)));
  assert.deepEqual(verdicts, [0, 0]);
  assert.equal(await solving, "3");
  const back = { ...idle.context, signal: new AbortController().signal };
  assert.equal(await challenge(back, about), 0);
  assert(idle.context.events.some(({ event }) => event === "moot"));

  const all = [...challengers, idle].map((each) => stage.tokens(each.context.sender.address));
  const starting = 10_000n * 10n ** 18n;
  const expected = [starting, starting, starting + TERMS.solverBond / 4n];
  assert.deepEqual((await Promise.all(all)).sort(), expected);
});

test("a solver that comes too late gives up and saves what it can of its bond", async () => {
  const long = { ...taskPackage, job: smallJob({ steps: 6000, interval: 2000 }) };
  const taskId = await stage.post(await stage.account(), long);
  const early = await serving("late");
  const interrupted = early.run(solve(early.context, { task: taskId, once: true }));
  await early.waitFor("accepted");
  early.stop();
  assert.equal(await interrupted, STOPPED);
  const { committed } = await stage.chain.client.readContract({
    ...stage.market,
    functionName: "task",
    args: [taskId],
  });
  assert(committed < segmentCount(long.job), "it was stopped too late for this test");
  await stage.localChain.advance(TERMS.checkpointTime + 1);
  const context = { ...early.context, signal: new AbortController().signal, events: [] };
  assert.equal(await solve(context, { task: taskId, once: true }), 1);
  assert.equal(await stage.tokens(context.sender.address), 10_000n * 10n ** 18n - TERMS.solverBond / 4n);
});

test("a solver that is started again takes the next task, none that it has ended", async () => {
  const { context } = await serving("again");
  for (const name of ["first", "second"]) {
    const taskId = await post();
    const events: Fields[] = [];
    const output = { ...context.output, event: (event: string, fields = {}) => void events.push({ event, ...fields }) };
    // A folder of its own: neither run knows what the other has written down.
    const solving = solve({ ...context, output, dataDir: `${context.dataDir}-${name}` }, { once: true });
    while (!events.some(({ event }) => event === "trained")) {
      const ended = await Promise.race([solving, new Promise((resolve) => setTimeout(resolve, 20, null))]);
      assert.equal(ended, null, `it has ended without training the ${name} task`);
    }
    const args = [taskId] as const;
    const { finalAt } = await stage.chain.client.readContract({ ...stage.market, functionName: "task", args });
    await stage.advancePast(finalAt);
    assert.equal(await solving, 0);
    assert.deepEqual(
      events
        .filter(({ event }) => event === "accepted" || event === "settled")
        .map(({ event, taskId }) => [event, taskId]),
      [
        ["accepted", taskId],
        ["settled", taskId],
      ],
    );
  }
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
  const solving = solver.run(solve(solver.context, { task: taskId, once: true }));
  const honest = await serving("watcher");
  const options = { seats: 0, watchAll: true, once: false, fromBlock: 0n, task: taskId };
  const watching = honest.run(verify(honest.context, options));
  await honest.waitFor("replayed", ({ segment }) => segment === 1);

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
  const fault = await honest.waitFor("fault");
  assert.deepEqual([fault.segment, fault.defendant], [segment, sender.address]);
  let resolved: Fields | undefined;
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
  assert.deepEqual(await Promise.all([watching, solving]), [STOPPED, STOPPED]);
});

test("a checkpoint that nobody can fetch is reported, and the replay goes from the beginning", async () => {
  const { market, chain } = stage;
  const verifier = await serving("drawn");
  const options = { seats: 2, watchAll: false, once: false, fromBlock: 0n };
  const verifying = verifier.run(verify(verifier.context, options));
  await verifier.waitFor("ready");
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
  const solving = solver.run(solve({ ...solver.context, store }, { task: taskId, once: true }));
  await solver.waitFor("trained");
  assert.equal(hidden.size, 2);

  const ofTask = (event: Fields): boolean => event.taskId === taskId && event.segment === 1;
  assert.equal((await verifier.waitFor("replayed", ofTask)).equal, true);
  await stage.localChain.advance(TERMS.sealWindow / 2);
  assert.equal((await verifier.waitFor("unavailable", ofTask)).code, "STORE_MISSING");
  const { extended } = await chain.client.readContract({ ...market, functionName: "segmentOf", args: [taskId, 1] });
  assert.equal(extended, true);
  verifier.stop();
  solver.stop();
  assert.deepEqual(await Promise.all([verifying, solving]), [STOPPED, STOPPED]);

  const leaving = { ...verifier.context, signal: new AbortController().signal };
  assert.equal(await leave(leaving, 0n), 1);
  await stage.localChain.advance(86_401);
  assert.equal(await leave(leaving, 0n), 0);
  assert.equal(await stage.tokens(leaving.sender.address), 10_000n * 10n ** 18n);
});

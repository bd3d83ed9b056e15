/**
 * Programs as users run them: separate processes that share a chain's URL, a contract's address and a store. One verifier watches
 * three cheating solvers, an honest one, and whoever accuses it.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import type { ProgramProcess } from "../../requester/demo/programProcess.ts";
import type { LocalAccount } from "../../requester/localChain/accounts.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { pause } from "../../shared/chain/pause.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { getCheckpoint } from "../../shared/data/checkpoint.ts";
import { NoDifferenceError } from "../../shared/dispute/challenger.ts";
import { Level } from "../../shared/dispute/position.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { contentIdOfBytes32 } from "../../shared/store/contentId.ts";
import { challenge, replay } from "../../verifier/single.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Stage, TERMS } from "./stage.ts";

const job = smallJob({ steps: 12, interval: 4 });
const taskPackage = { name: "small", job, initialState: smallInitialState() };
const segments = segmentCount(job);

let stage: Stage;
let verifier: ProgramProcess;
let verifierAccount: LocalAccount;

before(async () => {
  stage = await Stage.build();
  verifierAccount = await stage.account();
  verifier = stage.start("verifier", "verifier", verifierAccount, ["work", "--seats", "3", "--watch", "all"]);
  await verifier.waitFor("ready", ({ event }) => event === "ready");
});

after(() => stage?.close());

async function startSolver(name: string, extra: readonly string[] = []) {
  const account = await stage.account();
  const taskId = await stage.post(await stage.account(), taskPackage);
  const args = ["work", "--task", taskId, "--once", ...extra];
  return { name, account, taskId, process: stage.start(name, "solver", account, args) };
}

/** `Side.Defendant` of contracts/libraries/ChessClock.sol. */
const DEFENDANTS_TURN = 0;

const ofTask = (name: string, taskId: Hex) => (event: { event: string; taskId?: unknown }) =>
  event.event === name && event.taskId === taskId;

/** A choice is told before it is on the chain; moving time then would let the verifier's own clock run out. */
async function untilDefendantOwesTile(disputeId: Hex): Promise<void> {
  const { chain, deployment } = stage;
  const call = {
    address: deployment.game,
    abi: contractAbi("DisputeGame"),
    functionName: "dispute",
    args: [disputeId],
  } as const;
  for (;;) {
    const { walk, clock } = await chain.client.readContract(call);
    if (walk.level === Level.tile && clock.turn === DEFENDANTS_TURN) return;
    await pause(chain.pollingMs);
  }
}

test("three cheats are caught, located and punished", async () => {
  const names = ["wrong-batch", "trace-mismatch", "silent-tile"];
  const reportOf = (name: string) => path.join(stage.folder, `${name}.json`);
  const cheats = await Promise.all(
    names.map((name) => startSolver(name, ["--cheat", name, "--cheat-seed", "5", "--cheat-report", reportOf(name)])),
  );
  const [silent] = cheats.splice(2);
  for (const { name, account, taskId, process } of cheats) {
    await process.waitFor("its conviction", ({ event }) => event === "failed");
    assert.equal(await process.ended, 3);
    const { injected } = JSON.parse(await readFile(reportOf(name), "utf8"));
    const fault = await verifier.waitFor("the fault", ofTask("fault", taskId));
    assert.equal(fault.segment, injected.segment);
    assert.equal(fault.defendant, account.address);
    const { disputeId } = process.events.find(({ event }) => event === "dispute")!;
    const located = await verifier.waitFor("the number", (e) => e.event === "located" && e.disputeId === disputeId);
    assert.deepEqual(located.located, injected);
    assert.equal(await stage.tokens(account.address), 10_000n * 10n ** 18n - TERMS.solverBond);
  }
  // The third has opened everything but the tile: only its clock can convict it.
  const moved = await silent!.process.waitFor("its dispute", ({ event }) => event === "dispute");
  const { disputeId } = moved;
  await verifier.waitFor("the tile", (e) => e.event === "chosen" && e.disputeId === disputeId && e.level === "tensor");
  await untilDefendantOwesTile(disputeId as Hex);
  await stage.localChain.advance(TERMS.clock + TERMS.answerGrace + 1);
  const resolved = await verifier.waitFor("the time-out", (e) => e.event === "resolved" && e.disputeId === disputeId);
  assert.deepEqual([resolved.defendantConvicted, resolved.reason], [true, "timeout"]);
  assert.equal(await silent!.process.ended, 3);
});

test("an honest run beats its accuser, settles, and everybody is paid", async () => {
  const { account, taskId, process } = await startSolver("honest");
  await process.waitFor("the last checkpoint", ({ event }) => event === "trained");
  const accuser = await stage.account();
  const args = ["challenge", "--false-accusation", "--seed", "3", "--task", taskId, "--segment", "1"];
  const accusing = stage.start("accuser", "verifier", accuser, args);
  assert.equal(await accusing.ended, 3);
  const verdict = accusing.events.find(({ event }) => event === "resolved");
  assert.equal(verdict?.defendantConvicted, false);
  assert.equal(await stage.tokens(accuser.address), 10_000n * 10n ** 18n - TERMS.challengerBond);

  const context = stage.context("mistaken", accuser);
  const segment = { task: taskId, segment: 2, fromBlock: 0n };
  await assert.rejects(challenge(context, segment), NoDifferenceError);
  assert.equal(await replay(context, segment), 0);

  const isEach = (name: string, segment: number) => (e: { event: string; taskId?: unknown; segment?: unknown }) =>
    ofTask(name, taskId)(e) && e.segment === segment;
  for (let segment = 0; segment < segments; segment++) await verifier.waitFor("a seal", isEach("sealed", segment));
  const { market, chain } = stage;
  const windows = await chain.client.readContract({
    ...market,
    functionName: "windowsOf",
    args: [taskId, segments - 1],
  });
  await stage.advancePast(windows[0]);
  for (let segment = 0; segment < segments; segment++) await verifier.waitFor("a digest", isEach("revealed", segment));
  const { finalAt } = await chain.client.readContract({ ...market, functionName: "task", args: [taskId] });
  await stage.advancePast(finalAt);
  await process.waitFor("settlement", ({ event }) => event === "settled");
  assert.equal(await process.ended, 0);
  for (let segment = 0; segment < segments; segment++) await verifier.waitFor("its pay", isEach("paid", segment));
  const earned = TERMS.price + TERMS.challengerBond / 2n;
  assert.equal(await stage.tokens(account.address), 10_000n * 10n ** 18n + earned);

  const root = await chain.client.readContract({ ...market, functionName: "finalStateRoot", args: [taskId] });
  const { locator } = process.events.findLast(({ event }) => event === "checkpoint") as unknown as { locator: string };
  const model = await getCheckpoint(stage.store, contentIdOfBytes32(`0x${locator}`), job.program.state, root);
  assert.equal(stateRoot(model), root);
});

test("a verifier that is asked to end says whether it found a fault", async () => {
  await verifier.stop();
  assert.equal(await verifier.ended, 3);
  const problems = verifier.events.filter(({ event }) => event === "problem" || event === "error");
  assert.deepEqual(problems, []);
});

/**
 * What the contracts cost. Every external function that a player calls is measured in one fixed scene and compared with
 * test/snapshots/contracts-gas.json; TOUCHSTONE_UPDATE_SNAPSHOTS=1 writes the file anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { by, deployArena, networkHelpers, publicClient, time, wallets } from "./support/arena.ts";
import { type DeepClaims, deepClaims } from "./support/deep.ts";
import { lieAbout } from "./support/lies.ts";
import { Dispute, Reason } from "./support/player.ts";
import { disputeSolver, disputeVerifier } from "./support/scene.ts";
import { append, challenge, specOf, startTask, TERMS, trainingOf } from "./support/task.ts";
import { wideProgram } from "./support/wide.ts";

const SNAPSHOT = fileURLToPath(new URL("../snapshots/contracts-gas.json", import.meta.url));
/** Block times are of the day, so a beacon and the hashes under it have a few zero bytes more or less. */
const TOLERANCE = 400;
const TRANSACTION_CAP = 2 ** 24;

const job = exampleJob(wideProgram(), 1, { steps: 5, interval: 3 });
const initial = exampleState(wideProgram(), 1);
const operatorNamed = (name: string) => job.program.operators.findIndex((operator) => operator.name === name);

class Ledger {
  readonly most = new Map<string, number>();

  readonly record = (move: string, gas: bigint): void => {
    this.most.set(move, Math.max(this.most.get(move) ?? 0, Number(gas)));
  };

  /** Every transaction of the chain since the fixture, by the name of the function that it calls. */
  async recordChain(contracts: readonly { address: string; abi: readonly unknown[] }[]): Promise<void> {
    const { decodeFunctionData } = await import("viem");
    const latest = await publicClient.getBlockNumber();
    for (let blockNumber = 1n; blockNumber <= latest; blockNumber++) {
      const block = await publicClient.getBlock({ blockNumber, includeTransactions: true });
      for (const { to, input, hash } of block.transactions) {
        const contract = contracts.find(({ address }) => address === to);
        if (!contract) continue;
        const { status, gasUsed } = await publicClient.getTransactionReceipt({ hash });
        const { functionName } = decodeFunctionData({ abi: contract.abi as never, data: input });
        if (status === "success") this.record(functionName, gasUsed);
      }
    }
  }
}

describe("gas", () => {
  it("of every function is what the snapshot says", async () => {
    const ledger = new Ledger();
    const scenes = [
      lieAbout(job, new Random(1), 1, operatorNamed("square"), 130),
      lieAbout(job, new Random(2), 1, operatorNamed("weight.gradient"), 4),
    ];
    for (const told of scenes) {
      const arena = await networkHelpers.loadFixture(deployArena);
      const { dispute, taskId, training } = await disputeSolver({ arena, job, initial, ...told });
      const second = await challenge(arena, taskId, 0, wallets.solver, training, wallets.stranger);
      await dispute.play((walk) => walk.level === 4);
      await arena.game.write.adopt([second.disputeId, second.subject], by(wallets.stranger));
      await dispute.play();
      await arena.market.write.closeMoot([second.disputeId], by(wallets.stranger));
      await arena.market.write.withdraw([wallets.challenger.account.address], by(wallets.challenger));
      await ledger.recordChain([arena.market, arena.game]);
    }
    const arena = await networkHelpers.loadFixture(deployArena);
    const digestLie = (leaves: `0x${string}`[]): void => {
      leaves[2] = ZERO_BYTES32;
    };
    const { dispute, taskId } = await disputeVerifier({ arena, job, initial, digestLie });
    await dispute.play();
    await append(arena, taskId, 1, ZERO_BYTES32.replace("00", "01") as `0x${string}`);
    await time.increase(TERMS.challengeWindow + 1);
    await arena.market.write.settle([taskId], by(wallets.stranger));
    await ledger.recordChain([arena.market, arena.game]);
    const measured = Object.fromEntries([...ledger.most].sort(([a], [b]) => a.localeCompare(b)));
    if (process.env.TOUCHSTONE_UPDATE_SNAPSHOTS === "1") {
      writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    }
    const snapshot: Record<string, number> = JSON.parse(readFileSync(SNAPSHOT, "utf8"));
    assert.deepEqual(Object.keys(measured), Object.keys(snapshot));
    for (const [name, gas] of Object.entries(measured)) {
      const allowed = Math.abs(gas - snapshot[name]!) <= TOLERANCE;
      assert.ok(allowed, `${name}: ${gas} gas, the snapshot says ${snapshot[name]}`);
      assert.ok(gas < TRANSACTION_CAP);
    }
  });

  it("of a dispute over 4096 steps of 300 operators stays within its goals", async () => {
    const claims = await deepClaims();
    const played = await playDeep(claims, (dispute) => dispute.play());
    const { open, choose, adjudicate } = played.by;
    const round = Math.max(...open!) + Math.max(...choose!);
    assert.ok(open!.length <= 14, `${open!.length} rounds`);
    assert.ok(round <= 112_000, `a round costs ${round}`);
    assert.ok(adjudicate![0]! <= 500_000, `the adjudication costs ${adjudicate}`);
    console.log(played.text, played.whole);
    assert.ok(played.whole <= 1_700_000, `the dispute costs ${played.whole}: ${played.text}`);

    // With a defendant that serves its openings, so that they travel with the choices.
    const together = await playDeep(claims, (dispute) => dispute.playTogether());
    const shared = Math.max(...together.by["open+choose"]!);
    assert.ok(shared <= 88_000, `a shared round costs ${shared}`);
    console.log(together.text, together.whole);
    assert.ok(together.whole <= 1_450_000, `the dispute costs ${together.whole}: ${together.text}`);
  });
});

async function playDeep(claims: DeepClaims, play: (dispute: Dispute) => Promise<void>) {
  const arena = await networkHelpers.loadFixture(deployArena);
  const training = trainingOf(claims.job, claims.initial);
  const taskId = await startTask(arena, specOf(training));
  await append(arena, taskId, 0, claims.false.segment.node(0, 2 * 4096 - 1));
  const { disputeId, subject, hash } = await challenge(arena, taskId, 0, wallets.solver, training);
  const { gasUsed } = await publicClient.getTransactionReceipt({ hash });
  const by: Record<string, number[]> = { challenge: [Number(gasUsed)] };
  const dispute = new Dispute({
    game: arena.game,
    disputeId,
    subject,
    defendant: { wallet: wallets.solver, claimed: claims.false },
    challenger: { wallet: wallets.challenger, claimed: claims.honest },
    onMove: (move, used) => {
      by[move] ??= [];
      by[move].push(Number(used));
    },
  });
  await play(dispute);
  assert.deepEqual(await dispute.outcome(), { defendantConvicted: true, reason: Reason.element });
  const whole = Object.values(by)
    .flat()
    .reduce((sum, used) => sum + used, 0);
  return { by, whole, text: JSON.stringify(by) };
}

/**
 * What the contracts cost. Every external function of the market and the game is measured in fixed scenes and compared with
 * test/snapshots/contracts-gas.json: receipts of those that change something, calls of the others; TOUCHSTONE_UPDATE_SNAPSHOTS=1 writes the file anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Abi, decodeFunctionData, encodeFunctionData } from "viem";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { partialsTree } from "../../shared/commitment/partialsTree.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import {
  type Arena,
  by,
  deployArena,
  GAS,
  mine,
  networkHelpers,
  publicClient,
  time,
  viem,
  wallets,
} from "./support/arena.ts";
import { type DeepClaims, deepClaims } from "./support/deep.ts";
import { lieAbout } from "./support/lies.ts";
import { Dispute, Level, Reason, sixteen } from "./support/player.ts";
import { disputeSolver, disputeVerifier, type SolverDispute } from "./support/scene.ts";
import { domainOf, signAnswer, signPartials } from "./support/signatures.ts";
import { append, challenge, post, specOf, startTask, TERMS, trainingOf } from "./support/task.ts";
import { wideProgram } from "./support/wide.ts";

const SNAPSHOT = fileURLToPath(new URL("../snapshots/contracts-gas.json", import.meta.url));
/** Block times are of the day, so a beacon and the hashes under it have a few zero bytes more or less. */
const TOLERANCE = 400;
const TRANSACTION_CAP = 2 ** 24;

const job = exampleJob(wideProgram(), 1, { steps: 5, interval: 3 });
const initial = exampleState(wideProgram(), 1);
const operatorNamed = (name: string) => job.program.operators.findIndex((operator) => operator.name === name);

type Metered = { readonly address: `0x${string}`; readonly abi: Abi };

/** The most that any call of a function has cost, by contract and function. */
class Ledger {
  readonly most = new Map<string, number>();

  record(name: string, gas: bigint): void {
    this.most.set(name, Math.max(this.most.get(name) ?? 0, Number(gas)));
  }

  /** Every transaction of the chain since the fixture. */
  async recordChain(contracts: Readonly<Record<string, Metered>>): Promise<void> {
    const latest = await publicClient.getBlockNumber();
    for (let blockNumber = 1n; blockNumber <= latest; blockNumber++) {
      const block = await publicClient.getBlock({ blockNumber, includeTransactions: true });
      for (const { to, input, hash } of block.transactions) {
        const called = Object.entries(contracts).find(([, { address }]) => address === to);
        if (!called) continue;
        const [name, { abi }] = called;
        const { status, gasUsed } = await publicClient.getTransactionReceipt({ hash });
        const { functionName } = decodeFunctionData({ abi, data: input });
        if (status === "success") this.record(`${name}.${functionName}`, gasUsed);
      }
    }
  }
}

const { solver, challenger, stranger, requester, verifier } = wallets;
const root = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`;

/** A false word of a Map and of a Dot, each played to its end, beside a second dispute that becomes moot. */
async function convictions(ledger: Ledger): Promise<void> {
  const scenes = [
    lieAbout(job, new Random(1), 1, operatorNamed("square"), 130),
    lieAbout(job, new Random(2), 1, operatorNamed("weight.gradient"), 4),
  ];
  for (const told of scenes) {
    const arena = await networkHelpers.loadFixture(deployArena);
    const { dispute, taskId, training } = await disputeSolver({ arena, job, initial, ...told });
    const second = await challenge(arena, taskId, 0, solver, training, stranger);
    await dispute.play((walk) => walk.level === 4);
    await arena.game.write.adopt([second.disputeId, second.subject], by(stranger));
    await dispute.play();
    await arena.market.write.closeMoot([second.disputeId], by(stranger));
    await arena.market.write.withdraw([challenger.account.address], by(challenger));
    await ledger.recordChain({ TrainingMarket: arena.market, DisputeGame: arena.game });
  }
}

/** What others may send for the defendant, moves in one transaction, time-outs, and a verdict that comes from the game. */
async function relays(ledger: Ledger): Promise<void> {
  const arena = await networkHelpers.loadFixture(deployArena);
  const { game, market } = arena;
  const told = lieAbout(job, new Random(2), 1, operatorNamed("weight.gradient"), 4);
  const { dispute, disputeId, subject, defendant } = await disputeSolver({ arena, job, initial, ...told });
  const { segment } = defendant.claimed;
  const subjectHash = await game.read.hashSubject([subject]);
  const answer = { market: market.address, subjectHash, segmentRoot: segment.root };
  const signed = await signAnswer(solver, domainOf(game), answer);
  await game.write.answerFor([disputeId, subject, segment.root, segment.proof(5), signed], by(stranger));
  const { walk } = await dispute.state();
  const together = [dispute.defence(walk), dispute.accusation(walk)].map(([functionName, args]) =>
    encodeFunctionData({ abi: game.abi as Abi, functionName, args }),
  );
  await game.write.multicall([together], by(challenger));
  await dispute.play(({ level }) => level === Level.partials);
  const { walk: split, node } = await dispute.state();
  const { values, exponent } = dispute.claimOf(split);
  const claim = { disputeId, lo: split.lo, hi: split.hi, claim: node, exponent: BigInt(exponent) };
  const valuesRoot = partialsTree(values).root;
  const claimed = await signPartials(solver, domainOf(game), { ...claim, valuesRoot });
  const descriptor = dispute.descriptorOf(split.tensor, false);
  await game.write.claimPartialsFor(
    [disputeId, subject, descriptor, claim.exponent, sixteen(values), claimed],
    by(stranger),
  );
  // A claim made by the player itself, so that it can choose from it.
  dispute.defence(split);
  await game.write.choosePartial([disputeId, dispute.partialChoice(2)], by(challenger));
  const rogue = await viem.deployContract("RogueMarket", [game.address]);
  const opened = await rogue.write.open([subject, challenger.account.address, 9, 9], by(stranger));
  ledger.record("DisputeGame.openDispute", (await publicClient.getTransactionReceipt({ hash: opened })).gasUsed);
  await views(ledger, arena, { disputeId, subject });
  const live = await networkHelpers.takeSnapshot();
  await networkHelpers.impersonateAccount(game.address);
  await networkHelpers.setBalance(game.address, 10n ** 18n);
  const verdict = [disputeId, challenger.account.address, true, Reason.element] as const;
  await market.write.onDisputeResolved([...verdict], { account: game.address, gas: GAS });
  await ledger.recordChain({ TrainingMarket: market });
  await live.restore();
  await time.increase(10_000);
  await game.write.claimTimeout([disputeId], by(stranger));
  await ledger.recordChain({ TrainingMarket: market, DisputeGame: game });
}

/** Every function that changes nothing: what a call of it costs another contract. */
async function views(
  ledger: Ledger,
  { market, game }: Arena,
  { disputeId, subject }: Pick<SolverDispute, "disputeId" | "subject">,
): Promise<void> {
  const meter = await viem.deployContract("CallBatch");
  const { taskId, segment, training } = subject;
  const who = solver.account.address;
  const args: Record<string, readonly unknown[]> = {
    accountOf: [who],
    answerOf: [market.address, await game.read.hashSubject([subject])],
    attestationOf: [taskId, segment, who],
    challengeBond: [taskId, segment, who],
    challengerOf: [disputeId],
    credit: [who],
    deadline: [disputeId],
    dispute: [disputeId],
    disputeRecord: [disputeId],
    drawnSeat: [taskId, segment, 0n],
    finalStateRoot: [taskId],
    hashSubject: [subject],
    isDrawn: [taskId, segment, who],
    seatOf: [0n],
    segmentOf: [taskId, segment],
    subjectOf: [taskId, segment, who, training],
    task: [taskId],
    windowsOf: [taskId, segment],
  };
  await market.write.joinSeats([1n], by(verifier));
  await mine(TERMS.beaconDelay + 1);
  await market.write.draw([taskId, segment], by(stranger));
  for (const [name, { address, abi }] of Object.entries({ TrainingMarket: market, DisputeGame: game })) {
    for (const entry of abi) {
      if (entry.type !== "function" || entry.stateMutability === "nonpayable") continue;
      const data = encodeFunctionData({ abi: abi as Abi, functionName: entry.name, args: args[entry.name] ?? [] });
      ledger.record(`${name}.${entry.name}`, await meter.read.gasOf([address, data]));
    }
  }
}

/** A wrong digest, the end of a task and its receiver. */
async function attestations(ledger: Ledger): Promise<void> {
  const arena = await networkHelpers.loadFixture(deployArena);
  const { market } = arena;
  const digestLie = (leaves: `0x${string}`[]): void => {
    leaves[2] = ZERO_BYTES32;
  };
  const { dispute, taskId } = await disputeVerifier({ arena, job, initial, digestLie });
  await dispute.play();
  await append(arena, taskId, 1, root("01"));
  await time.increase(TERMS.challengeWindow + 1);
  await market.write.settle([taskId], by(stranger));
  await ledger.recordChain({ TrainingMarket: market, DisputeGame: arena.game });
}

/** What tasks and seats do when nobody disputes anything. */
async function lives(ledger: Ledger): Promise<void> {
  const arena = await networkHelpers.loadFixture(deployArena);
  const { market } = arena;
  const training = trainingOf(job, initial);
  await market.write.cancel([await post(arena, specOf(training))], by(requester));
  await market.write.joinSeats([1n], by(verifier));
  const receiver = await viem.deployContract("HostileReceiver", [market.address]);
  const taskId = await startTask(arena, specOf(training, { receiver: receiver.address, draws: 1 }));
  await append(arena, taskId, 0, root("01"));
  await mine(TERMS.beaconDelay + 1);
  await market.write.draw([taskId, 0], by(stranger));
  const drawn = await networkHelpers.takeSnapshot();
  await market.write.reportUnavailable([taskId, 0, 0n], by(verifier));
  await ledger.recordChain({ TrainingMarket: market });
  await drawn.restore();
  await market.write.seal([taskId, 0, 0n, root("02")], by(verifier));
  await market.write.leaveSeat([0n], by(verifier));
  await time.increase(Math.max(TERMS.challengeWindow, TERMS.checkpointTime, 86_400) + 1);
  await market.write.closeAttestation([taskId, 0, verifier.account.address], by(stranger));
  await market.write.withdrawSeat([0n], by(stranger));
  await market.write.expire([taskId], by(stranger));
  await market.write.notify([taskId], by(stranger));
  await ledger.recordChain({ TrainingMarket: market });
}

describe("gas", () => {
  it("of every function is what the snapshot says", async () => {
    const ledger = new Ledger();
    for (const scene of [convictions, relays, attestations, lives]) await scene(ledger);
    const measured = Object.fromEntries([...ledger.most].sort(([a], [b]) => (a < b ? -1 : 1)));
    const { market, game } = await networkHelpers.loadFixture(deployArena);
    const functions = Object.entries({ TrainingMarket: market, DisputeGame: game }).flatMap(([name, { abi }]) =>
      abi.flatMap((entry) => (entry.type === "function" ? [`${name}.${entry.name}`] : [])),
    );
    // The referee's are in referee-gas.json.
    assert.deepEqual(Object.keys(measured), functions.sort());
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

  it("of a dispute over 4096 steps of 300 operators stays within its goals", async (context) => {
    const claims = await deepClaims();
    const played = await playDeep(claims, (dispute) => dispute.play());
    const { open, choose, adjudicate } = played.by;
    const round = Math.max(...open!) + Math.max(...choose!);
    assert.ok(open!.length <= 14, `${open!.length} rounds`);
    assert.ok(round <= 112_000, `a round costs ${round}`);
    assert.ok(adjudicate![0]! <= 500_000, `the adjudication costs ${adjudicate}`);
    context.diagnostic(`${played.text} ${played.whole}`);
    assert.ok(played.whole <= 1_700_000, `the dispute costs ${played.whole}: ${played.text}`);

    // With a defendant that serves its openings, so that they travel with the choices.
    const together = await playDeep(claims, (dispute) => dispute.playTogether());
    const shared = Math.max(...together.by["open+choose"]!);
    assert.ok(shared <= 88_000, `a shared round costs ${shared}`);
    context.diagnostic(`${together.text} ${together.whole}`);
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

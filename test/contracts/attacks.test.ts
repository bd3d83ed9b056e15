/** Named attacks on the market and the game. What a single move refuses is in game.test.ts and market.test.ts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeFunctionData, keccak256, parseEther, toHex } from "viem";
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { descriptorsTree } from "../../shared/commitment/descriptorsTree.ts";
import { digestSeal } from "../../shared/commitment/digest.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import {
  type Arena,
  by,
  deployArena,
  mine,
  networkHelpers,
  SEAT_STAKE,
  time,
  viem,
  type Wallet,
  wallets,
} from "./support/arena.ts";
import { claimSegment, programTrees } from "./support/claimed.ts";
import { lieAbout } from "./support/lies.ts";
import { Dispute, Level, Reason } from "./support/player.ts";
import { attest, disputeSolver, SALT } from "./support/scene.ts";
import { domainOf, signAnswer } from "./support/signatures.ts";
import { append, challenge, endRoot, post, specOf, startTask, TERMS, trainingOf } from "./support/task.ts";

const { revertWithCustomError, revertWithCustomErrorWithArgs } = viem.assertions;
const program = regressionProgram();
const job = exampleJob(program, 1, { steps: 5, interval: 3 });
const initial = exampleState(program, 1);
const training = trainingOf(job, initial);
const root = (seed: number): Bytes32 => keccak256(toHex(seed));
const cheat = lieAbout(job, new Random(1), 0, 5, 0);

async function arena(): Promise<Arena> {
  return networkHelpers.loadFixture(deployArena);
}

describe("words in the defendant's mouth", () => {
  it("an answer signed for one task does not serve another", async () => {
    const a = await arena();
    const first = await disputeSolver({ arena: a, job, initial });
    const second = await disputeSolver({ arena: a, job, initial });
    const segment = first.defendant.claimed.segment;
    const signature = await signAnswer(wallets.solver, domainOf(a.game), {
      market: a.market.address,
      subjectHash: await a.game.read.hashSubject([first.subject]),
      segmentRoot: segment.root,
    });
    const replay = a.game.write.answerFor(
      [second.disputeId, second.subject, segment.root, segment.proof(5), signature],
      by(wallets.challenger),
    );
    await revertWithCustomError(replay, a.game, "DisputeSignature");
  });

  it("an answer given in another market's dispute does not count in this one", async () => {
    const a = await arena();
    const { disputeId, subject, defendant } = await disputeSolver({ arena: a, job, initial });
    const rogue = await viem.deployContract("RogueMarket", [a.game.address]);
    await rogue.write.open([subject, wallets.challenger.account.address, 100, 100], by(wallets.challenger));
    const rogueId = await rogue.read.last();
    const { segment } = defendant.claimed;
    const subjectHash = await a.game.read.hashSubject([subject]);
    const message = { market: rogue.address, subjectHash, segmentRoot: segment.root };
    const signature = await signAnswer(wallets.solver, domainOf(a.game), message);
    const relay = (id: Bytes32) =>
      a.game.write.answerFor([id, subject, segment.root, segment.proof(5), signature], by(wallets.challenger));
    await relay(rogueId);
    await revertWithCustomError(relay(disputeId), a.game, "DisputeSignature");
    const adopt = a.game.write.adopt([disputeId, subject], by(wallets.challenger));
    await revertWithCustomError(adopt, a.game, "DisputeUnanswered");
    assert.equal(await a.game.read.answerOf([a.market.address, subjectHash]), ZERO_BYTES32);
  });

  it("a wallet contract signs with its own rule, and nobody else for it", async () => {
    const a = await arena();
    const { market, token, game } = a;
    const account = await viem.deployContract("ContractAccount", [wallets.solver.account.address]);
    const act = (to: `0x${string}`, data: `0x${string}`) => account.write.execute([to, data], by(wallets.solver));
    const amount = TERMS.solverBond;
    await token.write.transfer([account.address, amount], by(wallets.solver));
    const approve = { abi: token.abi, functionName: "approve", args: [market.address, amount] } as const;
    await act(token.address, encodeFunctionData(approve));
    const taskId = await post(a, specOf(training));
    await act(market.address, encodeFunctionData({ abi: market.abi, functionName: "accept", args: [taskId] }));
    const start = initial.map(({ words }) => words);
    const claimed = await claimSegment(job, 0, start);
    const commit = [taskId, 0, endRoot(claimed), ZERO_BYTES32] as const;
    const data = encodeFunctionData({ abi: market.abi, functionName: "appendCheckpoint", args: commit });
    await act(market.address, data);
    const args = [taskId, 0, account.address, training] as const;
    const subject = await market.read.subjectOf([...args]);
    await market.write.challenge([...args], by(wallets.challenger));
    const [opened] = await game.getEvents.DisputeOpened({}, { fromBlock: 0n });
    const disputeId = opened!.args.disputeId!;
    const subjectHash = await game.read.hashSubject([subject]);
    const message = { market: market.address, subjectHash, segmentRoot: claimed.segment.root };
    const relay = async (signer: Wallet) =>
      game.write.answerFor(
        [
          disputeId,
          subject,
          claimed.segment.root,
          claimed.segment.proof(5),
          await signAnswer(signer, domainOf(a.game), message),
        ],
        by(wallets.stranger),
      );
    await revertWithCustomError(relay(wallets.stranger), game, "DisputeSignature");
    await relay(wallets.solver);
    assert.equal((await game.read.dispute([disputeId])).walk.level, Level.segment);
  });
});

describe("forged verdicts", () => {
  it("only the market's own game is believed", async () => {
    const a = await arena();
    const { disputeId, subject } = await disputeSolver({ arena: a, job, initial });
    const challenger = wallets.challenger.account.address;
    const verdict = [disputeId, challenger, true, Reason.element] as const;
    const forged = a.market.write.onDisputeResolved([...verdict], by(wallets.challenger));
    await revertWithCustomErrorWithArgs(forged, a.market, "SenderNot", [a.game.address]);
    // A rogue market's conviction of the same subject stays its own business.
    const rogue = await viem.deployContract("RogueMarket", [a.game.address]);
    await rogue.write.open([subject, wallets.challenger.account.address, 1, 1], by(wallets.challenger));
    const rogueId = await rogue.read.last();
    await time.increase(10);
    await viem.assertions.emitWithArgs(a.game.write.claimTimeout([rogueId], by(wallets.challenger)), rogue, "Verdict", [
      rogueId,
      true,
      Reason.timeout,
    ]);
    assert.equal((await a.market.read.task([subject.taskId])).status, 2);
    assert.equal((await a.game.read.dispute([disputeId])).walk.level, Level.answer);
  });
});

describe("racing an honest challenger", () => {
  it("a friend who convicts first leaves the cheat poorer and the honest challenger whole", async () => {
    const a = await arena();
    const honest = await disputeSolver({ arena: a, job, initial, ...cheat });
    const solverBefore = TERMS.solverBond;
    const race = await challenge(a, honest.taskId, 0, wallets.solver, training, wallets.stranger);
    const friend = new Dispute({
      game: a.game,
      disputeId: race.disputeId,
      subject: race.subject,
      defendant: honest.defendant,
      challenger: { ...honest.challenger, wallet: wallets.stranger },
    });
    await friend.play();
    assert.equal((await friend.outcome()).defendantConvicted, true);
    await a.market.write.closeMoot([honest.disputeId], by(wallets.challenger));
    const credit = (wallet: Wallet) => a.market.read.credit([wallet.account.address]);
    assert.equal(await credit(wallets.challenger), TERMS.challengerBond);
    const gained = (await credit(wallets.stranger)) - 2n * TERMS.challengerBond;
    assert.ok(solverBefore - gained >= TERMS.price, "what cannot be recovered is at least what cheating could gain");
  });

  it("losing on purpose to a friend does not end anyone else's dispute", async () => {
    const a = await arena();
    const honest = await disputeSolver({ arena: a, job, initial, ...cheat });
    const friend = await challenge(a, honest.taskId, 0, wallets.solver, training, wallets.stranger);
    await a.game.write.answer(
      [
        friend.disputeId,
        friend.subject,
        honest.defendant.claimed.segment.root,
        honest.defendant.claimed.segment.proof(5),
      ],
      by(wallets.solver),
    );
    const children = honest.defendant.claimed.segment.opening(3, 0);
    await a.game.write.open([friend.disputeId, children], by(wallets.solver));
    const padding = { child: 6, hash: children[6]!, siblings: honest.defendant.claimed.segment.proof(6) };
    await a.game.write.choose([friend.disputeId, padding], by(wallets.stranger));
    await a.game.write.adopt([honest.disputeId, honest.subject], by(wallets.challenger));
    await honest.dispute.play();
    assert.equal((await honest.dispute.outcome()).defendantConvicted, true);
    assert.equal((await a.market.read.task([honest.taskId])).status, 4);
  });
});

describe("saving the bond", () => {
  it("a cheat cannot stop training to have its bond back before the verdict", async () => {
    const a = await arena();
    const { dispute, taskId } = await disputeSolver({ arena: a, job, initial, ...cheat });
    // The walk goes on with the clocks stopped only by the moves.
    await dispute.play((walk) => walk.level === Level.trace);
    await time.increase(3_000);
    await dispute.play();
    assert.equal((await dispute.outcome()).defendantConvicted, true);
    assert.equal((await a.market.read.task([taskId])).status, 4);

    const second = await disputeSolver({ arena: a, job, initial, ...cheat });
    await time.increase(TERMS.checkpointTime + 1);
    const expire = a.market.write.expire([second.taskId], by(wallets.solver));
    await revertWithCustomErrorWithArgs(expire, a.market, "DisputesOpen", [1n]);
    await a.game.write.claimTimeout([second.disputeId], by(wallets.challenger));
    assert.equal((await a.market.read.task([second.taskId])).status, 4);
  });
});

describe("attesting without replaying", () => {
  it("a solver cannot attest its own segment", async () => {
    const a = await arena();
    await a.market.write.joinSeats([1n], by(wallets.solver));
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    await mine(TERMS.beaconDelay + 1);
    await a.market.write.draw([taskId, 0], by(wallets.stranger));
    const seal = a.market.write.seal([taskId, 0, 0n, root(1)], by(wallets.solver));
    await revertWithCustomErrorWithArgs(seal, a.market, "DrawWrong", [0n]);
    const report = a.market.write.reportUnavailable([taskId, 0, 0n], by(wallets.solver));
    await revertWithCustomErrorWithArgs(report, a.market, "DrawWrong", [0n]);
  });

  it("a copied seal cannot be revealed", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([1n], by(wallets.verifier));
    await market.write.joinSeats([1n], by(wallets.stranger));
    const taskId = await startTask(a, specOf(training, { draws: 32 }));
    await append(a, taskId, 0, root(0));
    await mine(TERMS.beaconDelay + 1);
    await market.write.draw([taskId, 0], by(wallets.stranger));
    const sealed = digestSeal(taskId, 0, wallets.verifier.account.address, SALT, root(7));
    for (const wallet of [wallets.verifier, wallets.stranger]) {
      const [, draw] = await market.read.isDrawn([taskId, 0, wallet.account.address]);
      await market.write.seal([taskId, 0, draw, sealed], by(wallet));
    }
    await time.increase(TERMS.sealWindow + 1);
    await market.write.reveal([taskId, 0, SALT, root(7)], by(wallets.verifier));
    const copied = market.write.reveal([taskId, 0, SALT, root(7)], by(wallets.stranger));
    await revertWithCustomError(copied, market, "SealMismatch");
  });

  it("a seat pays for its first conviction only, and every convicting challenger has its bond back", async () => {
    const a = await arena();
    const { market, game } = a;
    await market.write.joinSeats([1n], by(wallets.verifier));
    const start = initial.map(({ words }) => words);
    const claimed = await claimSegment(job, 0, start);
    const disputes: Bytes32[] = [];
    for (let n = 0; n < 2; n++) {
      const taskId = await startTask(a, specOf(training));
      await append(a, taskId, 0, endRoot(claimed));
      await attest(a, taskId, 0, claimed, wallets.verifier, (leaves) => void leaves.reverse());
      disputes.push((await challenge(a, taskId, 0, wallets.verifier, training)).disputeId);
    }
    await time.increase(10_000);
    const credit = () => market.read.credit([wallets.challenger.account.address]);
    for (const id of disputes) await game.write.claimTimeout([id], by(wallets.stranger));
    // Both disputes were about one verifier, so the second challenger staked twice as much.
    assert.equal(await credit(), (1n + 2n) * TERMS.challengerBond + SEAT_STAKE / 4n);
    assert.equal((await market.read.accountOf([wallets.verifier.account.address])).disputes, 0);
    const { live, empty } = await market.read.seatOf([0n]);
    assert.deepEqual([live, empty], [0, true]);
    const late = await startTask(a, specOf(training));
    await append(a, late, 0, endRoot(claimed));
    await mine(TERMS.beaconDelay + 1);
    await market.write.draw([late, 0], by(wallets.stranger));
    assert.equal((await market.read.drawnSeat([late, 0, 0n]))[2], false);
  });
});

describe("programs that nobody can adjudicate", () => {
  it("convict nobody: the challenger cannot enter the tensor and runs out of time", async () => {
    const a = await arena();
    const trees = programTrees(job);
    // Operator 5 has a version that does not exist.
    const operators = trees.operators.map((bytes, at) => (at === 5 ? Uint8Array.from([2, ...bytes.slice(1)]) : bytes));
    const tree = descriptorsTree(operators);
    const odd = { ...training, program: { ...training.program, operatorsRoot: tree.root } };
    const taskId = await startTask(a, specOf(odd));
    const claimed = await claimSegment(
      job,
      0,
      initial.map(({ words }) => words),
    );
    await append(a, taskId, 0, endRoot(claimed));
    const { disputeId, subject } = await challenge(a, taskId, 0, wallets.solver, odd);
    const side = { claimed, wallet: wallets.solver };
    const challenger = { claimed, wallet: wallets.challenger };
    const dispute = new Dispute({ game: a.game, disputeId, subject, defendant: side, challenger });
    await dispute.play((walk, turn) => walk.level === Level.segment && turn === 1);
    const { walk } = await dispute.state();
    await a.game.write.enterStep([disputeId, dispute.choiceOf(walk, 0), subject], by(wallets.challenger));
    await dispute.play((_, turn) => turn === 1);
    const trace = (await dispute.state()).walk;
    assert.equal(trace.height, 5);
    const descriptor = { descriptor: toHex(operators[5]!), siblings: tree.proof(5) };
    const enter = a.game.write.enterTensor(
      [disputeId, dispute.choiceOf(trace, 5), subject, descriptor],
      by(wallets.challenger),
    );
    await revertWithCustomErrorWithArgs(enter, a.game, "DescriptorVersion", [2n]);
    await time.increase(5_000);
    await a.game.write.claimTimeout([disputeId], by(wallets.stranger));
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: false, reason: Reason.timeout });
  });
});

describe("hostile tokens", () => {
  async function hostileArena() {
    const { game, ...rest } = await arena();
    const token = await viem.deployContract("HostileToken");
    const market = await viem.deployContract("TrainingMarket", [token.address, game.address, SEAT_STAKE]);
    for (const wallet of [wallets.requester, wallets.solver, wallets.challenger, wallets.stranger]) {
      await token.write.faucet([parseEther("1000")], by(wallet));
      await token.write.approve([market.address, 2n ** 256n - 1n], by(wallet));
    }
    return { ...rest, game, market, token };
  }

  it("a token that takes a fee on the way is refused", async () => {
    const { token, market } = await hostileArena();
    await token.write.setFee([1n], by(wallets.stranger));
    const escrow = TERMS.price + 4n * TERMS.verifierFee;
    await revertWithCustomErrorWithArgs(
      market.write.post([specOf(training)], by(wallets.requester)),
      market,
      "AmountReceived",
      [escrow, (escrow * 99n) / 100n],
    );
  });

  it("a token that calls back in the middle of a transfer gets nothing done", async () => {
    const a = await hostileArena();
    const { token, market, game } = a;
    const taskId = await post(a as unknown as Arena, specOf(training));
    await market.write.accept([taskId], by(wallets.solver));
    await market.write.appendCheckpoint([taskId, 0, root(0), ZERO_BYTES32], by(wallets.solver));
    const solver = wallets.solver.account.address;
    const args = [taskId, 0, solver, training] as const;
    await market.write.challenge([...args], by(wallets.challenger));
    const [opened] = await game.getEvents.DisputeOpened({}, { fromBlock: 0n });
    await time.increase(4_201);
    // A verdict in the middle of the next challenge would fail the task under it.
    const timeout = encodeFunctionData({
      abi: game.abi,
      functionName: "claimTimeout",
      args: [opened!.args.disputeId!],
    });
    await token.write.setHook([game.address, timeout], by(wallets.stranger));
    await market.write.challenge([...args], by(wallets.stranger));
    const REENTRANT = "0x3ee5aeb5";
    assert.equal(await token.read.hookFailure(), REENTRANT);
    assert.equal((await market.read.task([taskId])).openDisputes, 2);

    await token.write.setHook([`0x${"00".repeat(20)}`, "0x"], by(wallets.stranger));
    await game.write.claimTimeout([opened!.args.disputeId!], by(wallets.stranger));
    const challenger = wallets.challenger.account.address;
    const credit = await market.read.credit([challenger]);
    const withdraw = encodeFunctionData({ abi: market.abi, functionName: "withdraw", args: [challenger] });
    await token.write.setHook([market.address, withdraw], by(wallets.stranger));
    const before = await token.read.balanceOf([challenger]);
    await market.write.withdraw([challenger], by(wallets.challenger));
    assert.equal(await token.read.hookFailure(), REENTRANT);
    assert.equal((await token.read.balanceOf([challenger])) - before, credit);
  });
});

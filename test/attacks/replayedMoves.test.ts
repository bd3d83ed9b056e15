/**
 * Moves, signatures and proofs made for one place and used in another: another dispute, task, market, game, chain, version, level,
 * or another history of the same chain. Domain separation makes each impossible; here each is tried.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { type Abi, encodeFunctionData } from "viem";
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { partialsTree } from "../../shared/commitment/partialsTree.ts";
import { by, deployArena, GAS, networkHelpers, viem, type Wallet, wallets } from "../contracts/support/arena.ts";
import { lieAbout } from "../contracts/support/lies.ts";
import { Level, Reason, sixteen } from "../contracts/support/player.ts";
import { disputeSolver } from "../contracts/support/scene.ts";
import { type Domain, domainOf, signAnswer, signPartials } from "../contracts/support/signatures.ts";
import { append, challenge, post, specOf, startTask, trainingOf } from "../contracts/support/task.ts";
import { wideProgram } from "../contracts/support/wide.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

const { revertWithCustomError } = viem.assertions;
const { solver, challenger, stranger, requester } = wallets;
const program = wideProgram();
const job = exampleJob(program, 1, { steps: 5, interval: 3 });
const initial = exampleState(program, 1);
const training = trainingOf(job, initial);
const operatorNamed = (name: string) => program.operators.findIndex((operator) => operator.name === name);
const mapLie = () => lieAbout(job, new Random(1), 1, operatorNamed("square"), 130);
const otherMapLie = () => lieAbout(job, new Random(3), 0, operatorNamed("square"), 20);
const dotLie = () => lieAbout(job, new Random(2), 1, operatorNamed("weight.gradient"), 4);

const arena = () => networkHelpers.loadFixture(deployArena);
const encode = (abi: unknown, [functionName, args]: readonly [string, readonly unknown[]]) =>
  encodeFunctionData({ abi: abi as Abi, functionName, args });

/** Two disputes that stand at the same level, about tasks whose lies differ. */
async function twoAt(level: number, turn: number) {
  const a = await arena();
  const first = await disputeSolver({ arena: a, job, initial, ...mapLie() });
  const second = await disputeSolver({ arena: a, job, initial, ...otherMapLie() });
  for (const { dispute } of [first, second]) await dispute.play((walk, at) => walk.level === level && at === turn);
  return { a, first, second };
}

/** The move of one dispute with its first argument, the id, replaced by another's. */
function aimed(move: readonly [string, readonly unknown[]], disputeId: Bytes32): [string, readonly unknown[]] {
  return [move[0], [disputeId, ...move[1].slice(1)]];
}

async function send(
  game: { address: `0x${string}`; abi: unknown },
  move: readonly [string, readonly unknown[]],
  wallet: Wallet,
) {
  return wallet.sendTransaction({ to: game.address, data: encode(game.abi, move), gas: GAS });
}

describe("a signature made elsewhere", () => {
  it("does not answer: another chain, game, version or name of the protocol", async () => {
    const a = await arena();
    const { disputeId, subject, defendant } = await disputeSolver({ arena: a, job, initial });
    const { segment } = defendant.claimed;
    const subjectHash = await a.game.read.hashSubject([subject]);
    const message = { market: a.market.address, subjectHash, segmentRoot: segment.root };
    const relay = async (domain: Domain) => {
      const signature = await signAnswer(solver, domain, message);
      return a.game.write.answerFor([disputeId, subject, segment.root, segment.proof(5), signature], by(stranger));
    };
    const domain = domainOf(a.game);
    const elsewhere: Domain[] = [
      { ...domain, chainId: 1 },
      { ...domain, verifyingContract: a.market.address },
      { ...domain, version: "2" },
      { ...domain, name: "Touchstone TrainingMarket" },
    ];
    for (const other of elsewhere) await revertWithCustomError(relay(other), a.game, "DisputeSignature");
    await relay(domain);
  });

  it("does not claim partial results: another chain, game, version, or an answer's signature", async () => {
    const a = await arena();
    const { dispute, disputeId, subject, defendant } = await disputeSolver({ arena: a, job, initial, ...dotLie() });
    await dispute.play(({ level }) => level === Level.partials);
    const { walk, node } = await dispute.state();
    const { values, exponent } = dispute.claimOf(walk);
    const domain = domainOf(a.game);
    const message = {
      ...{ disputeId, lo: walk.lo, hi: walk.hi, claim: node, exponent: BigInt(exponent) },
      valuesRoot: partialsTree(values).root,
    };
    const descriptor = dispute.descriptorOf(walk.tensor, false);
    const relay = (signature: Bytes32) =>
      a.game.write.claimPartialsFor(
        [disputeId, subject, descriptor, message.exponent, sixteen(values), signature],
        by(stranger),
      );
    const answer = {
      market: a.market.address,
      subjectHash: await a.game.read.hashSubject([subject]),
      segmentRoot: defendant.claimed.segment.root,
    };
    const forged = [
      await signPartials(solver, { ...domain, chainId: 1 }, message),
      await signPartials(solver, { ...domain, verifyingContract: a.referee.address }, message),
      await signPartials(solver, { ...domain, version: "2" }, message),
      await signAnswer(solver, domain, answer),
    ];
    for (const signature of forged) await revertWithCustomError(relay(signature), a.game, "DisputeSignature");
    await relay(await signPartials(solver, domain, message));
  });
});

describe("a move made in another dispute", () => {
  it("an answer about another task does not fit", async () => {
    const { a, first, second } = await twoAt(Level.answer, 0);
    const move = first.dispute.defence((await first.dispute.state()).walk);
    await revertWithCustomError(send(a.game, aimed(move, second.disputeId), solver), a.game, "DisputeSubject");
  });

  it("an opening does not fit another node", async () => {
    const { a, first, second } = await twoAt(Level.segment, 0);
    const move = first.dispute.defence((await first.dispute.state()).walk);
    await revertWithCustomError(send(a.game, aimed(move, second.disputeId), solver), a.game, "OpeningMismatch");
  });

  it("an opened tile does not fit another node", async () => {
    const { a, first, second } = await twoAt(Level.tile, 0);
    const move = first.dispute.defence((await first.dispute.state()).walk);
    await revertWithCustomError(send(a.game, aimed(move, second.disputeId), solver), a.game, "OpeningMismatch");
  });

  it("a choice does not fit another node, nor its subject another dispute", async () => {
    const { a, first, second } = await twoAt(Level.segment, 1);
    const [name, [, choice, subject]] = first.dispute.accusation((await first.dispute.state()).walk);
    assert.equal(name, "enterStep");
    const own = second.subject;
    const enter = (with_: unknown) => send(a.game, [name, [second.disputeId, choice, with_]], challenger);
    await revertWithCustomError(enter(subject), a.game, "DisputeSubject");
    await revertWithCustomError(enter(own), a.game, "TreeProofMismatch");
  });

  it("an adjudication does not fit another tile", async () => {
    const { a, first, second } = await twoAt(Level.tile, 1);
    const [name, args] = first.dispute.accusation((await first.dispute.state()).walk);
    const [, element, words, , ...proofs] = args;
    const adjudicate = (subject: unknown) =>
      send(a.game, [name, [second.disputeId, element, words, subject, ...proofs]], challenger);
    await revertWithCustomError(adjudicate(first.subject), a.game, "DisputeSubject");
    await revertWithCustomError(adjudicate(second.subject), a.game, "OpeningMismatch");
  });

  it("a step's roots and tiles do not prove another dispute's element", async () => {
    const { a, first, second } = await twoAt(Level.tile, 1);
    const mine = second.dispute.accusation((await second.dispute.state()).walk);
    const theirs = first.dispute.accusation((await first.dispute.state()).walk);
    // adjudicate(disputeId, element, words, subject, descriptor, step, witness)
    const withStep = [mine[0], mine[1].with(5, theirs[1][5])] as const;
    const withWitness = [mine[0], mine[1].with(6, theirs[1][6])] as const;
    for (const move of [withStep, withWitness]) {
      await revertWithCustomError(send(a.game, move, challenger), a.game, "TreeProofMismatch");
    }
    await send(a.game, mine, challenger);
    assert.deepEqual(await second.dispute.outcome(), { defendantConvicted: true, reason: Reason.element });
  });
});

describe("a move made at another level", () => {
  it("an opening of the segment does not open a trace", async () => {
    const a = await arena();
    const { dispute, disputeId } = await disputeSolver({ arena: a, job, initial, ...mapLie() });
    await dispute.play((walk, turn) => walk.level === Level.segment && turn === 0);
    const opening = dispute.defence((await dispute.state()).walk);
    await dispute.play((walk, turn) => walk.level === Level.trace && turn === 0);
    const replayed = send(a.game, aimed(opening, disputeId), solver);
    // Six leaves of a segment are opened into eight; a trace of more operators is not.
    await revertWithCustomError(replayed, a.game, "OpeningLength");
  });

  it("a chosen part is no choice of the claim below it", async () => {
    const a = await arena();
    const { dispute } = await disputeSolver({ arena: a, job, initial, ...dotLie() });
    await dispute.play(({ level }, turn) => level === Level.partials && turn === 1);
    const choice = dispute.accusation((await dispute.state()).walk);
    assert.ok(choice[0] === "choosePartial" || choice[0] === "adjudicatePartial");
    await send(a.game, choice, challenger);
    const after = await dispute.state();
    if (after.walk.level === Level.none) return;
    await dispute.defend(after.walk);
    await revertWithCustomError(send(a.game, choice, challenger), a.game, "TreeProofMismatch");
  });

  it("the move that decided a dispute decides nothing more", async () => {
    const a = await arena();
    const { dispute } = await disputeSolver({ arena: a, job, initial, ...mapLie() });
    await dispute.play((walk, turn) => walk.level === Level.tile && turn === 1);
    const deciding = dispute.accusation((await dispute.state()).walk);
    await send(a.game, deciding, challenger);
    await revertWithCustomError(send(a.game, deciding, challenger), a.game, "DisputeUnknown");
    await dispute.outcome();
  });
});

describe("names", () => {
  it("of tasks differ by market, requester and nonce", async () => {
    const a = await arena();
    const spec = specOf(training);
    const names = new Set([await post(a, spec), await post(a, spec), await post(a, spec, stranger)]);
    const second = await viem.deployContract("TrainingMarket", [a.token.address, a.game.address, 64n * 10n ** 18n]);
    await a.token.write.approve([second.address, 2n ** 256n - 1n], by(requester));
    names.add((await second.simulate.post([spec], by(requester))).result);
    assert.equal(names.size, 4);
  });

  it("of tasks and disputes differ by chain", async () => {
    const names = [];
    for (const chainId of [31337, 31338]) {
      const other = await network.connect({ override: { chainId } });
      const [deployer, worker] = await other.viem.getWalletClients();
      const token = await other.viem.deployContract("LocalToken");
      const referee = await other.viem.deployContract("Referee");
      const game = await other.viem.deployContract("DisputeGame", [referee.address]);
      const market = await other.viem.deployContract("TrainingMarket", [token.address, game.address, 64n * 10n ** 18n]);
      for (const wallet of [deployer!, worker!]) {
        const options = { account: wallet.account.address, gas: GAS };
        await token.write.faucet([10n ** 24n], options);
        await token.write.approve([market.address, 2n ** 256n - 1n], options);
      }
      const spec = specOf(training);
      const { result: taskId } = await market.simulate.post([spec], { gas: GAS });
      await market.write.post([spec], { gas: GAS });
      const working = { account: worker!.account.address, gas: GAS };
      await market.write.accept([taskId], working);
      await market.write.appendCheckpoint([taskId, 0, `0x${"22".repeat(32)}`, `0x${"00".repeat(32)}`], working);
      const about = [taskId, 0, worker!.account.address, training] as const;
      const { result: disputeId } = await market.simulate.challenge([...about], { gas: GAS });
      names.push({ game: game.address, taskId, disputeId });
      await other.close();
    }
    const [here, there] = names;
    // The same deployers, contracts and content: only the chain differs.
    assert.equal(here!.game, there!.game);
    assert.notEqual(here!.taskId, there!.taskId);
    assert.notEqual(here!.disputeId, there!.disputeId);
  });
});

describe("a reorganisation", () => {
  /** The task up to its checkpoint; nothing is disputed yet. */
  async function committed() {
    const a = await arena();
    const played = await disputeSolver({ arena: a, job, initial, ...mapLie() });
    return { a, played };
  }

  it("gives the same challenge the same name, and its moves still fit, whatever came in between", async () => {
    const a = await arena();
    const before = await networkHelpers.takeSnapshot();
    const first = await disputeSolver({ arena: a, job, initial, ...mapLie() });
    const moves: [readonly [string, readonly unknown[]], Wallet][] = [];
    for (;;) {
      const { walk, clock } = await first.dispute.state();
      if (walk.level === Level.none) break;
      const turn = clock.turn === 0;
      const move = turn ? first.dispute.defence(walk) : first.dispute.accusation(walk);
      moves.push([move, turn ? solver : challenger]);
      await send(a.game, move, turn ? solver : challenger);
    }
    const outcome = await first.dispute.outcome();
    const endRoot = first.subject.endRoot;
    await before.restore();

    // Another history: a stranger's task and challenge come first.
    const elsewhere = await startTask(a, specOf(training, { price: 7n }));
    await append(a, elsewhere, 0, endRoot);
    await challenge(a, elsewhere, 0, solver, training, stranger);
    const spec = specOf(training);
    const { result: taskId } = await a.market.simulate.post([spec], by(requester));
    assert.notEqual(taskId, first.taskId, "the requester has posted another task before: its nonce differs");

    // Without that task, but with a stranger's challenge before.
    await before.restore();
    const same = await startTask(a, spec);
    assert.equal(same, first.taskId);
    await append(a, same, 0, endRoot);
    await challenge(a, same, 0, solver, training, stranger);
    const again = await challenge(a, same, 0, solver, training);
    assert.equal(again.disputeId, first.disputeId);
    for (const [move, wallet] of moves) await send(a.game, move, wallet);
    assert.deepEqual(await first.dispute.outcome(), outcome);
  });

  it("to another checkpoint leaves no dispute for the moves that were made about the first", async () => {
    const { a, played } = await committed();
    const { dispute, disputeId, taskId } = played;
    const answer = dispute.defence((await dispute.state()).walk);
    const fresh = await arena();
    assert.equal(fresh.game.address, a.game.address);
    const again = await startTask(fresh, specOf(training));
    assert.equal(again, taskId);
    await append(fresh, again, 0, `0x${"22".repeat(32)}`);
    const other = await challenge(fresh, again, 0, solver, training);
    assert.notEqual(other.disputeId, disputeId);
    await revertWithCustomError(send(fresh.game, answer, solver), fresh.game, "DisputeUnknown");
    await revertWithCustomError(send(fresh.game, aimed(answer, other.disputeId), solver), fresh.game, "DisputeSubject");
    const subjectHash = await fresh.game.read.hashSubject([played.subject]);
    assert.equal(await fresh.game.read.answerOf([fresh.market.address, subjectHash]), `0x${"00".repeat(32)}`);
  });
});

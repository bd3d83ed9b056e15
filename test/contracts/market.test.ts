/** The market: the life of a task, seats, the draw, attestations, and who is paid what. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeAbiParameters, keccak256, parseEther, toHex, zeroAddress } from "viem";
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { digestSeal } from "../../shared/commitment/digest.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import {
  type Arena,
  atNextBlock,
  by,
  deployArena,
  mine,
  networkHelpers,
  now,
  publicClient,
  SEAT_STAKE,
  time,
  viem,
  type Wallet,
  wallets,
} from "./support/arena.ts";
import { claimSegment } from "./support/claimed.ts";
import { lieAbout } from "./support/lies.ts";
import { disputeSolver, disputeVerifier, SALT } from "./support/scene.ts";
import { append, challenge, endRoot, post, type Spec, specOf, startTask, TERMS, trainingOf } from "./support/task.ts";

const { revertWithCustomError, revertWithCustomErrorWithArgs, emitWithArgs } = viem.assertions;
const program = regressionProgram();
const job = exampleJob(program, 1, { steps: 5, interval: 3 });
const initial = exampleState(program, 1);
const training = trainingOf(job, initial);
const root = (seed: number): Bytes32 => keccak256(toHex(seed));
const BURNED = "0x000000000000000000000000000000000000dEaD";

/** EIP-2935: the history of block hashes as deployed on mainnet. */
const HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935";
const HISTORY_CODE =
  "0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

async function arena(): Promise<Arena> {
  return networkHelpers.loadFixture(deployArena);
}

async function credits({ market }: Arena) {
  const of = (address: `0x${string}`) => market.read.credit([address]);
  return {
    requester: await of(wallets.requester.account.address),
    solver: await of(wallets.solver.account.address),
    challenger: await of(wallets.challenger.account.address),
    stranger: await of(wallets.stranger.account.address),
    verifier: await of(wallets.verifier.account.address),
    burned: await of(BURNED),
  };
}

const NOTHING = { requester: 0n, solver: 0n, challenger: 0n, stranger: 0n, verifier: 0n, burned: 0n };
const ESCROWED_FEES = 4n * TERMS.verifierFee;

/** A task with both checkpoints in; times are those of the last commit. */
async function committedTask(arena_: Arena, terms: Partial<typeof TERMS> = {}) {
  const taskId = await startTask(arena_, specOf(training, terms));
  await append(arena_, taskId, 0, root(0));
  await append(arena_, taskId, 1, root(1));
  return { taskId, committedAt: await now() };
}

describe("posting", () => {
  it("escrows the price and the fees, and names the task by everything in it", async () => {
    const { market, token, ...rest } = await arena();
    const before = await token.read.balanceOf([wallets.requester.account.address]);
    const spec = specOf(training);
    const ids = [await post({ market, token, ...rest }, spec), await post({ market, token, ...rest }, spec)];
    assert.notEqual(ids[0], ids[1]);
    const after = await token.read.balanceOf([wallets.requester.account.address]);
    assert.equal(before - after, 2n * (TERMS.price + ESCROWED_FEES));
    const { inputs } = market.abi.find((entry) => entry.type === "function" && entry.name === "post")!;
    const specHash = keccak256(encodeAbiParameters(inputs, [spec]));
    const typehash = keccak256(
      toHex("TouchstoneTaskV1(uint256 chainId,address market,address requester,uint256 nonce,bytes32 specHash)"),
    );
    const expected = keccak256(
      encodeAbiParameters(
        ["bytes32", "uint256", "address", "address", "uint256", "bytes32"].map((type) => ({ type })),
        [typehash, 31337n, market.address, wallets.requester.account.address, 1n, specHash],
      ),
    );
    assert.equal(ids[1], expected);
  });

  it("refuses each parameter out of its bounds", async () => {
    const { market } = await arena();
    const of = (changed: object): Spec["training"] => ({ ...training, ...changed });
    const cases: [field: string, spec: Spec][] = [
      ["operatorCount", specOf(of({ program: { ...training.program, operatorCount: 0 } }))],
      ["stateCount", specOf(of({ program: { ...training.program, stateCount: 0 } }))],
      ["steps", specOf(of({ steps: 0 }))],
      ["interval", specOf(of({ interval: 0 }))],
      ["interval", specOf(of({ interval: 6 }))],
      ["interval", specOf(of({ steps: 2 ** 31, interval: 2 ** 31 }))],
      ["width", specOf(of({ steps: 2 ** 16, schedule: { ...training.schedule, width: 2 ** 16 } }))],
      ["initialStateRoot", specOf(of({ initialStateRoot: ZERO_BYTES32 }))],
      ["solverBond", specOf(training, { solverBond: 2n * TERMS.price - 1n })],
      ["challengerBond", specOf(training, { challengerBond: 0n })],
      ["challengerBond", specOf(training, { challengerBond: TERMS.solverBond / 4n + 1n })],
      ["verifierFee", specOf(training, { verifierFee: SEAT_STAKE / 64n + 1n })],
      ["draws", specOf(training, { draws: 33 })],
      ["sampleRate", specOf(training, { sampleRate: 65537 })],
      ["beaconDelay", specOf(training, { beaconDelay: 0 })],
      ["beaconDelay", specOf(training, { beaconDelay: 256 })],
      ["checkpointTime", specOf(training, { checkpointTime: 0 })],
      ["replayTime", specOf(training, { replayTime: 0 })],
      ["sealWindow", specOf(training, { sealWindow: 0 })],
      ["revealWindow", specOf(training, { revealWindow: 0 })],
      ["challengeWindow", specOf(training, { challengeWindow: 4_999 })],
      ["challengeWindow", specOf(training, { challengeWindow: 60 * 86_400 + 1 })],
      ["challengerBond", specOf(training, { challengerBond: TERMS.solverBond / 64n - 1n })],
      [
        "challengerBond",
        specOf(training, { price: 0n, solverBond: SEAT_STAKE / 16n - 1n, challengerBond: SEAT_STAKE / 64n - 1n }),
      ],
      ["clock", specOf(training, { clock: 299 })],
      ["answerGrace", specOf(training, { answerGrace: 59 })],
      ["receiver", specOf(training, { receiver: wallets.stranger.account.address })],
    ];
    for (const [field, spec] of cases) {
      await revertWithCustomErrorWithArgs(market.write.post([spec], by(wallets.requester)), market, "SpecInvalid", [
        field,
      ]);
    }
  });

  it("is taken back by the requester until somebody accepts", async () => {
    const a = await arena();
    const { market } = a;
    const taskId = await post(a, specOf(training));
    const cancel = (wallet: Wallet) => market.write.cancel([taskId], by(wallet));
    await revertWithCustomError(cancel(wallets.stranger), market, "SenderNot");
    await cancel(wallets.requester);
    assert.deepEqual(await credits(a), { ...NOTHING, requester: TERMS.price + ESCROWED_FEES });
    await revertWithCustomError(cancel(wallets.requester), market, "TaskStatusWrong");
    await revertWithCustomError(market.write.accept([taskId], by(wallets.solver)), market, "TaskStatusWrong");
    const second = await startTask(a, specOf(training));
    await revertWithCustomError(market.write.cancel([second], by(wallets.requester)), market, "TaskStatusWrong");
  });
});

describe("training", () => {
  it("stakes the bond and takes one solver", async () => {
    const a = await arena();
    const before = await a.token.read.balanceOf([wallets.solver.account.address]);
    const taskId = await startTask(a, specOf(training));
    assert.equal(before - (await a.token.read.balanceOf([wallets.solver.account.address])), TERMS.solverBond);
    await revertWithCustomError(a.market.write.accept([taskId], by(wallets.stranger)), a.market, "TaskStatusWrong");
  });

  it("commits checkpoints in order, in time, by the solver", async () => {
    const a = await arena();
    const { market } = a;
    const taskId = await startTask(a, specOf(training));
    const commit = (segment: number, stateRoot = root(1), wallet = wallets.solver) =>
      market.write.appendCheckpoint([taskId, segment, stateRoot, root(9)], by(wallet));
    await revertWithCustomError(commit(0, root(1), wallets.stranger), market, "SenderNot");
    await revertWithCustomErrorWithArgs(commit(1), market, "CheckpointOrder", [0, 1]);
    await revertWithCustomError(commit(0, ZERO_BYTES32), market, "CheckpointEmpty");
    const deadline = (await market.read.task([taskId])).progressAt + TERMS.checkpointTime;
    const fresh = await networkHelpers.takeSnapshot();
    await atNextBlock(deadline + 1);
    await revertWithCustomErrorWithArgs(commit(0), market, "TooLate", [BigInt(deadline)]);
    await fresh.restore();
    await atNextBlock(deadline);
    await emitWithArgs(commit(0), market, "CheckpointAppended", [taskId, 0, root(1), root(9)]);
    await revertWithCustomErrorWithArgs(commit(0), market, "CheckpointOrder", [1, 0]);
    await commit(1);
    await revertWithCustomErrorWithArgs(commit(2), market, "CheckpointsComplete", [2n]);
  });

  it("that stops fails the task and costs a quarter of the bond", async () => {
    const a = await arena();
    const { market } = a;
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    const deadline = (await market.read.task([taskId])).progressAt + TERMS.checkpointTime;
    const expire = () => market.write.expire([taskId], by(wallets.stranger));
    await atNextBlock(deadline);
    await revertWithCustomErrorWithArgs(expire(), market, "TooEarly", [BigInt(deadline)]);
    await emitWithArgs(expire(), market, "TaskFailed", [taskId, wallets.solver.account.address, false]);
    const quarter = TERMS.solverBond / 4n;
    const requester = TERMS.price + ESCROWED_FEES;
    const solver = TERMS.solverBond - quarter;
    assert.deepEqual(await credits(a), { ...NOTHING, requester, solver, burned: quarter });
    for (const again of [expire(), market.write.settle([taskId], by(wallets.stranger))]) {
      await revertWithCustomError(again, market, "TaskStatusWrong");
    }
  });

  it("that is complete cannot expire", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a);
    await time.increase(TERMS.checkpointTime + 1);
    const expire = a.market.write.expire([taskId], by(wallets.stranger));
    await revertWithCustomError(expire, a.market, "CheckpointsComplete");
  });
});

describe("settling", () => {
  it("pays when the last window is over", async () => {
    const a = await arena();
    const { market, token } = a;
    const { taskId, committedAt } = await committedTask(a);
    const end = committedAt + TERMS.challengeWindow;
    const settle = () => market.write.settle([taskId], by(wallets.stranger));
    assert.equal(await market.read.finalStateRoot([taskId]), ZERO_BYTES32);
    await atNextBlock(end);
    await revertWithCustomErrorWithArgs(settle(), market, "TooEarly", [BigInt(end)]);
    await emitWithArgs(settle(), market, "TaskSettled", [taskId, root(1)]);
    assert.equal(await market.read.finalStateRoot([taskId]), root(1));
    const solver = TERMS.price + TERMS.solverBond;
    assert.deepEqual(await credits(a), { ...NOTHING, solver, requester: ESCROWED_FEES });
    const before = await token.read.balanceOf([wallets.solver.account.address]);
    await market.write.withdraw([wallets.solver.account.address], by(wallets.stranger));
    assert.equal((await token.read.balanceOf([wallets.solver.account.address])) - before, solver);
    await revertWithCustomError(
      market.write.withdraw([wallets.solver.account.address], by(wallets.solver)),
      market,
      "NothingToWithdraw",
    );
    await revertWithCustomError(settle(), market, "TaskStatusWrong");
  });

  it("waits for every checkpoint", async () => {
    const a = await arena();
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    await time.increase(TERMS.challengeWindow + 1);
    const settle = a.market.write.settle([taskId], by(wallets.stranger));
    await revertWithCustomErrorWithArgs(settle, a.market, "CheckpointsMissing", [1n, 2n]);
  });

  it("waits for open disputes", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a);
    await challenge(a, taskId, 1, wallets.solver, training);
    await time.increase(TERMS.challengeWindow + 1);
    const settle = a.market.write.settle([taskId], by(wallets.stranger));
    await revertWithCustomErrorWithArgs(settle, a.market, "DisputesOpen", [1n]);
  });

  it("tells the receiver, whatever it does with the call", async () => {
    const a = await arena();
    const { market } = a;
    const receiver = await viem.deployContract("HostileReceiver", [market.address]);
    for (const manner of [0, 1, 2, 3, 4, 5]) {
      await receiver.write.setManner([manner], by(wallets.stranger));
      const { taskId } = await committedTask(a, { receiver: receiver.address });
      await time.increase(TERMS.challengeWindow + 1);
      const calls = await receiver.read.calls();
      const delivered = manner === 0 || manner > 3;
      await emitWithArgs(market.write.settle([taskId], by(wallets.stranger)), market, "ReceiverNotified", [
        taskId,
        receiver.address,
        true,
        delivered,
      ]);
      assert.equal((await market.read.task([taskId])).notified, delivered, `manner ${manner}`);
      const notify = () => market.write.notify([taskId], by(wallets.stranger));
      if (!delivered) {
        assert.equal(await receiver.read.calls(), calls);
        await receiver.write.setManner([0], by(wallets.stranger));
        await notify();
        assert.equal(await receiver.read.calls(), calls + 1n);
        assert.equal(await receiver.read.success(), true);
      }
      await revertWithCustomError(notify(), market, "NotifiedAlready");
    }
    // ReentrancyGuardReentrantCall()
    assert.equal(await receiver.read.reentryFailure(), "0x3ee5aeb5");
  });

  it("cannot starve the receiver of its gas", async () => {
    const a = await arena();
    const { market } = a;
    const receiver = await viem.deployContract("HostileReceiver", [market.address]);
    const { taskId } = await committedTask(a, { receiver: receiver.address });
    await time.increase(TERMS.challengeWindow + 1);
    const settle = (gas: bigint) => market.write.settle([taskId], { account: wallets.stranger.account.address, gas });
    let gas = 150_000n;
    for (; ; gas += 10_000n) {
      try {
        await settle(gas);
        break;
      } catch {
        assert.equal((await market.read.task([taskId])).notified, false);
        assert.ok(gas < 1_000_000n);
      }
    }
    assert.equal(await receiver.read.calls(), 1n);
    assert.ok((await receiver.read.gasGiven()) > 195_000n);
  });

  it("notifies nobody where there is nobody or nothing to tell", async () => {
    const a = await arena();
    const { market } = a;
    const { taskId } = await committedTask(a);
    const notify = () => market.write.notify([taskId], by(wallets.stranger));
    await revertWithCustomError(notify(), market, "TaskStatusWrong");
    await time.increase(TERMS.challengeWindow + 1);
    await market.write.settle([taskId], by(wallets.stranger));
    await revertWithCustomError(notify(), market, "ReceiverMissing");
  });
});

describe("a dapp", () => {
  it("buys a model and learns that it is done", async () => {
    const a = await arena();
    const { market, token } = a;
    const owner = wallets.requester;
    const buyer = await viem.deployContract("ModelBuyer", [market.address, owner.account.address]);
    await token.write.approve([buyer.address, 2n ** 255n], by(owner));
    const spec = specOf(training, { receiver: buyer.address });
    const cost = TERMS.price + ESCROWED_FEES;
    const buy = (spec_: Spec, wallet: Wallet) => buyer.write.buy([spec_, cost], by(wallet));
    await revertWithCustomError(buy(spec, wallets.stranger), buyer, "BuyerSenderNot");
    await revertWithCustomError(buy(specOf(training), owner), buyer, "BuyerReceiverNot");
    await buy(spec, owner);
    const [ordered] = await buyer.getEvents.ModelOrdered({}, { fromBlock: 0n });
    const taskId = ordered!.args.taskId!;
    await market.write.accept([taskId], by(wallets.solver));
    await append(a, taskId, 0, root(0));
    await append(a, taskId, 1, root(1));
    await time.increase(TERMS.challengeWindow + 1);
    await market.write.settle([taskId], by(wallets.stranger));
    assert.deepEqual(await buyer.read.models([taskId]), [2, root(1)]);
    const before = await token.read.balanceOf([owner.account.address]);
    await buyer.write.refund(by(wallets.stranger));
    assert.equal((await token.read.balanceOf([owner.account.address])) - before, ESCROWED_FEES);
    const forged = buyer.write.onTrainingResolved([taskId, true], by(wallets.stranger));
    await revertWithCustomError(forged, buyer, "BuyerSenderNot");
  });
});

describe("verdicts", () => {
  const segment = { arena, job, initial };

  it("against a solver refund the requester and split the bond", async () => {
    const a = await arena();
    const { market } = a;
    const scene = { ...segment, arena: a, ...lieAbout(job, new Random(1), 0, 5, 0) };
    const { dispute, disputeId, taskId } = await disputeSolver(scene);
    await dispute.play();
    const quarter = TERMS.solverBond / 4n;
    assert.deepEqual(await credits(a), {
      ...NOTHING,
      challenger: TERMS.challengerBond + quarter,
      requester: TERMS.price + ESCROWED_FEES + quarter,
      burned: TERMS.solverBond / 2n,
    });
    assert.equal((await market.read.task([taskId])).status, 4);
    assert.equal((await market.read.disputeRecord([disputeId])).bonds, 0);
    const again = challenge(a, taskId, 0, wallets.solver, training);
    await revertWithCustomError(again, market, "TaskStatusWrong");
  });

  it("against a challenger split its bond with the defendant", async () => {
    const a = await arena();
    const scene = { ...segment, arena: a, random: new Random(2) };
    const { dispute, taskId } = await disputeSolver(scene);
    await dispute.play();
    const half = TERMS.challengerBond / 2n;
    assert.deepEqual(await credits(a), { ...NOTHING, solver: half, burned: TERMS.challengerBond - half });
    const { status, openDisputes } = await a.market.read.task([taskId]);
    assert.deepEqual([status, openDisputes], [2, 0]);
  });

  it("against a verifier take its seat, and leave the task alone", async () => {
    const a = await arena();
    const { market } = a;
    const digestLie = (leaves: Bytes32[]) => leaves.reverse();
    const { dispute, taskId } = await disputeVerifier({ arena: a, job, initial, digestLie });
    await dispute.play();
    const quarter = SEAT_STAKE / 4n;
    assert.deepEqual(await credits(a), {
      ...NOTHING,
      challenger: TERMS.challengerBond + quarter,
      requester: quarter + TERMS.verifierFee,
      burned: SEAT_STAKE / 2n,
    });
    const { empty, live, leftAt } = await market.read.seatOf([0n]);
    assert.deepEqual([empty, live, leftAt], [true, 0, await now()]);
    assert.equal((await market.read.task([taskId])).status, 2);
    const verifier = wallets.verifier.account.address;
    for (const again of [
      challenge(a, taskId, 0, wallets.verifier, training),
      market.write.closeAttestation([taskId, 0, verifier], by(wallets.stranger)),
    ]) {
      await revertWithCustomError(again, market, "AttestationStatusWrong");
    }
    await revertWithCustomError(market.write.withdrawSeat([0n], by(wallets.verifier)), market, "SeatWrong");
  });

  it("for a verifier pay it half of the challenger's bond", async () => {
    const a = await arena();
    const { dispute, taskId } = await disputeVerifier({ arena: a, job, initial, random: new Random(5) });
    await dispute.play();
    assert.equal((await credits(a)).verifier, TERMS.challengerBond / 2n);
    const verifier = wallets.verifier.account.address;
    assert.equal((await a.market.read.attestationOf([taskId, 0, verifier])).openDisputes, 0);
  });

  it("return the bonds of everyone else with a dispute against the convicted", async () => {
    const a = await arena();
    const { market } = a;
    const scene = { ...segment, arena: a, ...lieAbout(job, new Random(1), 0, 5, 0) };
    const { dispute, taskId } = await disputeSolver(scene);
    const second = await challenge(a, taskId, 0, wallets.solver, training, wallets.stranger);
    const third = await challenge(a, taskId, 0, wallets.solver, training, wallets.stranger);
    const close = (id: Bytes32) => market.write.closeMoot([id], by(wallets.requester));
    await revertWithCustomError(close(second.disputeId), market, "DisputeNotMoot");
    await dispute.play();
    await close(second.disputeId);
    assert.equal((await credits(a)).stranger, 2n * TERMS.challengerBond);
    await revertWithCustomError(close(second.disputeId), market, "DisputeNotMoot");
    // A verdict that comes after the conviction is moot as well, whatever it says.
    await time.increase(30_000);
    await a.game.write.claimTimeout([third.disputeId], by(wallets.stranger));
    assert.equal((await credits(a)).stranger, 5n * TERMS.challengerBond);
    await a.game.write.claimTimeout([second.disputeId], by(wallets.stranger));
    assert.equal((await credits(a)).stranger, 5n * TERMS.challengerBond);
    assert.equal((await market.read.task([taskId])).openDisputes, 0);
  });
});

describe("challenging", () => {
  it("costs one bond more for each open dispute, and gives the defendant one grace more", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a);
    const solver = wallets.solver.account.address;
    for (let live = 1n; live <= 3n; live++) {
      assert.equal(await a.market.read.challengeBond([taskId, 0, solver]), live * TERMS.challengerBond);
      const before = await a.token.read.balanceOf([wallets.challenger.account.address]);
      const { disputeId } = await challenge(a, taskId, Number(live % 2n), wallets.solver, training);
      const after = await a.token.read.balanceOf([wallets.challenger.account.address]);
      assert.equal(before - after, live * TERMS.challengerBond);
      const { clock } = await a.game.read.dispute([disputeId]);
      assert.equal(clock.defendant, TERMS.clock + Number(live) * TERMS.answerGrace);
      assert.equal(clock.challenger, TERMS.clock + TERMS.choiceGrace);
    }
  });

  it("gives a clock no more than it can hold", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a, { clock: 2 ** 24 - 1, answerGrace: 2 ** 24 - 1 });
    const { disputeId } = await challenge(a, taskId, 0, wallets.solver, training);
    const { clock } = await a.game.read.dispute([disputeId]);
    assert.deepEqual([clock.defendant, clock.challenger], [2 ** 24 - 1, 2 ** 24 - 1]);
  });

  it("is open until the segment's window ends", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a);
    const [, , end] = await a.market.read.windowsOf([taskId, 0]);
    const open = await networkHelpers.takeSnapshot();
    const solver = wallets.solver.account.address;
    const write = () => a.market.write.challenge([taskId, 0, solver, training], by(wallets.challenger));
    await atNextBlock(Number(end));
    await write();
    await open.restore();
    await atNextBlock(Number(end) + 1);
    await revertWithCustomErrorWithArgs(write(), a.market, "TooLate", [end]);
  });

  it("needs a committed segment, its defendant and the task's training", async () => {
    const a = await arena();
    const { market } = a;
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    const solver = wallets.solver.account.address;
    const write = (segment: number, defendant: `0x${string}`, training_ = training) =>
      market.write.challenge([taskId, segment, defendant, training_], by(wallets.challenger));
    await revertWithCustomError(write(1, solver), market, "SegmentUncommitted");
    await revertWithCustomError(write(0, wallets.stranger.account.address), market, "AttestationStatusWrong");
    await revertWithCustomError(write(0, solver, { ...training, seed: 1n }), market, "TrainingMismatch");
  });

  it("describes the subject: roots, steps, and a short last segment", async () => {
    const a = await arena();
    const { taskId } = await committedTask(a);
    const solver = wallets.solver.account.address;
    const first = await a.market.read.subjectOf([taskId, 0, solver, training]);
    const last = await a.market.read.subjectOf([taskId, 1, solver, training]);
    const kept = ({ startRoot, endRoot, firstStep, stepCount }: typeof first) => [
      startRoot,
      endRoot,
      firstStep,
      stepCount,
    ];
    assert.deepEqual(kept(first), [training.initialStateRoot, root(0), 0, 3]);
    assert.deepEqual(kept(last), [root(0), root(1), 3, 2]);
    assert.deepEqual([last.digestRoot, last.beacon], [ZERO_BYTES32, ZERO_BYTES32]);
  });
});

describe("seats", () => {
  it("are staked, left and withdrawn after the delay", async () => {
    const a = await arena();
    const { market, token } = a;
    const verifier = wallets.verifier.account.address;
    const before = await token.read.balanceOf([verifier]);
    await market.write.joinSeats([3n], by(wallets.verifier));
    assert.equal(before - (await token.read.balanceOf([verifier])), 3n * SEAT_STAKE);
    assert.equal(await market.read.seatCount(), 3n);
    for (const count of [0n, 65n]) {
      await revertWithCustomError(market.write.joinSeats([count], by(wallets.verifier)), market, "SeatWrong");
    }
    const leave = (wallet: Wallet) => market.write.leaveSeat([1n], by(wallet));
    const withdraw = () => market.write.withdrawSeat([1n], by(wallets.stranger));
    await revertWithCustomError(leave(wallets.stranger), market, "SenderNot");
    await revertWithCustomError(withdraw(), market, "SeatWrong");
    await leave(wallets.verifier);
    const end = (await now()) + 86_400;
    await revertWithCustomError(leave(wallets.verifier), market, "SeatWrong");
    await atNextBlock(end - 1);
    await revertWithCustomErrorWithArgs(withdraw(), market, "TooEarly", [BigInt(end)]);
    await withdraw();
    assert.equal((await credits(a)).verifier, SEAT_STAKE);
    await revertWithCustomError(withdraw(), market, "SeatWrong");
    for (const missing of [market.read.seatOf([3n]), market.write.leaveSeat([3n], by(wallets.verifier))]) {
      await revertWithCustomError(missing, market, "SeatWrong");
    }
  });
});

describe("the draw", () => {
  it("is fixed by the block that the checkpoint named", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([3n], by(wallets.verifier));
    await market.write.joinSeats([2n], by(wallets.stranger));
    const taskId = await startTask(a, specOf(training, { draws: 8 }));
    await append(a, taskId, 0, root(0));
    const { committedBlock, seats } = await market.read.segmentOf([taskId, 0]);
    assert.equal(seats, 5);
    // A seat that comes after the checkpoint is not in its draw.
    await market.write.joinSeats([40n], by(wallets.challenger));
    const beaconBlock = BigInt(committedBlock + TERMS.beaconDelay);
    const draw = () => market.write.draw([taskId, 0], by(wallets.requester));
    await mine(Number(beaconBlock - (await publicClient.getBlockNumber()) - 1n));
    await revertWithCustomErrorWithArgs(draw(), market, "BeaconEarly", [beaconBlock]);
    await mine(200);
    await draw();
    const { hash } = await publicClient.getBlock({ blockNumber: beaconBlock });
    const types = (...names: string[]) => names.map((type) => ({ type }));
    const beacon = keccak256(encodeAbiParameters(types("bytes32", "bytes32", "uint32"), [hash, taskId, 0]));
    assert.equal((await market.read.segmentOf([taskId, 0])).beacon, beacon);
    await revertWithCustomErrorWithArgs(draw(), market, "SegmentDrawnAlready", [beacon]);
    const holders = new Set<string>();
    for (let j = 0n; j < 8n; j++) {
      const seat = BigInt(keccak256(encodeAbiParameters(types("bytes32", "uint256"), [beacon, j]))) % 5n;
      const holder = (seat < 3n ? wallets.verifier : wallets.stranger).account.address;
      const [drawn, verifier, counts] = await market.read.drawnSeat([taskId, 0, j]);
      assert.deepEqual([drawn, verifier.toLowerCase(), counts], [seat, holder, true]);
      holders.add(holder);
    }
    for (const wallet of [wallets.verifier, wallets.stranger, wallets.challenger]) {
      const [drawn] = await market.read.isDrawn([taskId, 0, wallet.account.address]);
      assert.equal(drawn, holders.has(wallet.account.address));
    }
    await revertWithCustomErrorWithArgs(market.read.drawnSeat([taskId, 0, 8n]), market, "DrawWrong", [8n]);
    await revertWithCustomError(market.read.drawnSeat([taskId, 1, 0n]), market, "SegmentNotDrawn");
  });

  it("takes no seat that had left, and samples at the task's rate", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([2n], by(wallets.verifier));
    await market.write.leaveSeat([0n], by(wallets.verifier));
    const taskId = await startTask(a, specOf(training, { draws: 32 }));
    const never = await startTask(a, specOf(training, { draws: 32, sampleRate: 0 }));
    for (const id of [taskId, never]) await append(a, id, 0, root(0));
    // Leaving after the checkpoint does not escape its draw.
    await market.write.leaveSeat([1n], by(wallets.verifier));
    await mine(TERMS.beaconDelay + 1);
    const seen = new Set<bigint>();
    for (const id of [taskId, never]) {
      await market.write.draw([id, 0], by(wallets.requester));
      for (let j = 0n; j < 32n; j++) {
        const [seat, , counts] = await market.read.drawnSeat([id, 0, j]);
        assert.equal(counts, id === taskId);
        seen.add(seat);
      }
    }
    assert.deepEqual([...seen], [1n]);
    const [drawn] = await market.read.isDrawn([never, 0, wallets.verifier.account.address]);
    assert.equal(drawn, false);
  });

  it("is read late from the history, and from the fixed next block when that is over", async () => {
    const a = await arena();
    const { market } = a;
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    const { committedBlock } = await market.read.segmentOf([taskId, 0]);
    const beaconBlock = committedBlock + TERMS.beaconDelay;
    const draw = () => market.write.draw([taskId, 0], by(wallets.requester));
    const unreadable = (block: number) =>
      revertWithCustomErrorWithArgs(draw(), market, "BeaconUnreadable", [BigInt(block)]);
    const drawnFrom = async (hash: Bytes32) => {
      await draw();
      const types = ["bytes32", "bytes32", "uint32"].map((type) => ({ type }));
      const { beacon } = await market.read.segmentOf([taskId, 0]);
      assert.equal(beacon, keccak256(encodeAbiParameters(types, [hash, taskId, 0])));
    };
    // The simulated chain has no history: what stands at its address fails, which must not pass for a hash.
    await networkHelpers.mineUpTo(beaconBlock + 300);
    await unreadable(beaconBlock);
    const slot = beaconBlock % 8191;
    await networkHelpers.setCode(HISTORY, HISTORY_CODE);
    await networkHelpers.setStorageAt(HISTORY, slot, root(50));
    await networkHelpers.mineUpTo(beaconBlock + 8190);
    const last = await networkHelpers.takeSnapshot();
    await drawnFrom(root(50));
    await last.restore();
    // One block later nothing but the block 8191 further on counts, and its hash is known only after it.
    await mine(1);
    const { hash } = await publicClient.getBlock({ blockNumber: BigInt(beaconBlock + 8191) });
    await drawnFrom(hash);
  });

  it("has nobody to take when nobody has a seat", async () => {
    const a = await arena();
    const taskId = await startTask(a, specOf(training));
    await append(a, taskId, 0, root(0));
    await mine(TERMS.beaconDelay + 1);
    await a.market.write.draw([taskId, 0], by(wallets.requester));
    assert.deepEqual(await a.market.read.drawnSeat([taskId, 0, 0n]), [0n, zeroAddress, false]);
  });
});

/** A drawn segment with the verifier's seats only. */
async function drawnSegment(a: Arena, terms: Partial<typeof TERMS> = {}) {
  await a.market.write.joinSeats([1n], by(wallets.verifier));
  const taskId = await startTask(a, specOf(training, terms));
  const start = initial.map(({ words }) => words);
  const claimed = await claimSegment(job, 0, start);
  await append(a, taskId, 0, endRoot(claimed));
  const committedAt = await now();
  await mine(TERMS.beaconDelay + 1);
  await a.market.write.draw([taskId, 0], by(wallets.stranger));
  return { taskId, committedAt, claimed };
}

describe("attesting", () => {
  const verifier = wallets.verifier.account.address;
  const digest = root(77);

  it("seals and reveals in its windows, once, and is paid after the challenge window", async () => {
    const a = await arena();
    const { market } = a;
    const { taskId, committedAt } = await drawnSegment(a);
    const sealed = digestSeal(taskId, 0, verifier, SALT, digest);
    const seal = (wallet = wallets.verifier, sealed_ = sealed) =>
      market.write.seal([taskId, 0, 0n, sealed_], by(wallet));
    const reveal = (salt = SALT, digest_ = digest, wallet = wallets.verifier) =>
      market.write.reveal([taskId, 0, salt, digest_], by(wallet));
    const close = () => market.write.closeAttestation([taskId, 0, verifier], by(wallets.stranger));
    const sealEnd = committedAt + TERMS.sealWindow;
    const revealEnd = sealEnd + TERMS.revealWindow;
    const challengeEnd = committedAt + TERMS.challengeWindow;
    assert.deepEqual(
      await market.read.windowsOf([taskId, 0]),
      [sealEnd, revealEnd, challengeEnd].map((end) => BigInt(end)),
    );
    await revertWithCustomError(seal(wallets.stranger), market, "SenderNot");
    await revertWithCustomError(seal(wallets.verifier, ZERO_BYTES32), market, "DigestEmpty");
    await revertWithCustomError(reveal(), market, "AttestationStatusWrong");
    const drawn = await networkHelpers.takeSnapshot();
    await atNextBlock(sealEnd + 1);
    await revertWithCustomErrorWithArgs(seal(), market, "TooLate", [BigInt(sealEnd)]);
    await drawn.restore();
    await atNextBlock(sealEnd);
    await seal();
    await drawn.restore();
    await atNextBlock(sealEnd - 2);
    await seal();
    await revertWithCustomError(seal(), market, "AttestationStatusWrong");
    assert.equal((await market.read.seatOf([0n])).live, 1);
    const sealedAt = await networkHelpers.takeSnapshot();
    await atNextBlock(revealEnd + 1);
    await revertWithCustomErrorWithArgs(reveal(), market, "TooLate", [BigInt(revealEnd)]);
    await sealedAt.restore();
    await atNextBlock(sealEnd);
    await revertWithCustomErrorWithArgs(reveal(), market, "TooEarly", [BigInt(sealEnd)]);
    await atNextBlock(sealEnd + 1);
    await revertWithCustomError(reveal(root(1)), market, "SealMismatch");
    await revertWithCustomError(reveal(SALT, root(1)), market, "SealMismatch");
    await revertWithCustomError(reveal(SALT, ZERO_BYTES32), market, "DigestEmpty");
    await atNextBlock(revealEnd);
    await reveal();
    await revertWithCustomError(reveal(), market, "AttestationStatusWrong");
    await atNextBlock(challengeEnd);
    await revertWithCustomErrorWithArgs(close(), market, "TooEarly", [BigInt(challengeEnd)]);
    await close();
    assert.deepEqual(await credits(a), { ...NOTHING, verifier: TERMS.verifierFee });
    assert.equal((await market.read.seatOf([0n])).live, 0);
    await revertWithCustomError(close(), market, "AttestationStatusWrong");
  });

  it("without revealing earns nothing", async () => {
    const a = await arena();
    const { market } = a;
    const { taskId, committedAt } = await drawnSegment(a);
    await market.write.seal([taskId, 0, 0n, root(5)], by(wallets.verifier));
    await atNextBlock(committedAt + TERMS.challengeWindow + 1);
    await market.write.closeAttestation([taskId, 0, verifier], by(wallets.stranger));
    assert.deepEqual(await credits(a), { ...NOTHING, requester: TERMS.verifierFee });
  });

  it("is still paid when the task fails meanwhile", async () => {
    const a = await arena();
    const { market } = a;
    const { taskId, committedAt } = await drawnSegment(a, { checkpointTime: 500 });
    const sealed = digestSeal(taskId, 0, verifier, SALT, digest);
    await market.write.seal([taskId, 0, 0n, sealed], by(wallets.verifier));
    await time.increase(501);
    await market.write.expire([taskId], by(wallets.stranger));
    assert.equal((await credits(a)).requester, TERMS.price + ESCROWED_FEES - TERMS.verifierFee);
    await atNextBlock(committedAt + TERMS.sealWindow + 1);
    await market.write.reveal([taskId, 0, SALT, digest], by(wallets.verifier));
    await atNextBlock(committedAt + TERMS.challengeWindow + 1);
    await market.write.closeAttestation([taskId, 0, verifier], by(wallets.stranger));
    assert.equal((await credits(a)).verifier, TERMS.verifierFee);
  });

  it("waits for disputes about it", async () => {
    const a = await arena();
    const { taskId } = await disputeVerifier({ arena: a, job, initial });
    await time.increase(TERMS.challengeWindow);
    const close = a.market.write.closeAttestation([taskId, 0, verifier], by(wallets.stranger));
    await revertWithCustomErrorWithArgs(close, a.market, "DisputesOpen", [1n]);
  });

  it("that the checkpoint is unavailable extends the window once", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([1n], by(wallets.stranger));
    const { taskId, committedAt } = await drawnSegment(a, { draws: 32 });
    const end = async () => Number((await market.read.windowsOf([taskId, 0]))[2]);
    assert.equal(await end(), committedAt + TERMS.challengeWindow);
    const drawOf = async (wallet: Wallet) => (await market.read.isDrawn([taskId, 0, wallet.account.address]))[1];
    const report = async (wallet: Wallet) =>
      market.write.reportUnavailable([taskId, 0, await drawOf(wallet)], by(wallet));
    await report(wallets.verifier);
    assert.equal(await end(), committedAt + 2 * TERMS.challengeWindow);
    await report(wallets.stranger);
    assert.equal(await end(), committedAt + 2 * TERMS.challengeWindow);
    assert.equal((await market.read.task([taskId])).finalAt, committedAt + 2 * TERMS.challengeWindow);
    await revertWithCustomError(report(wallets.verifier), market, "AttestationStatusWrong");
    await append(a, taskId, 1, root(1));
    await time.increase(TERMS.challengeWindow + 1);
    await revertWithCustomError(market.write.settle([taskId], by(wallets.stranger)), market, "TooEarly");
    // Its last second counts as before.
    await atNextBlock(committedAt + 2 * TERMS.challengeWindow);
    await market.write.challenge([taskId, 0, wallets.solver.account.address, training], by(wallets.challenger));
  });

  it("needs a seat that is free and was drawn", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([1n], by(wallets.verifier));
    const ids: Bytes32[] = [];
    for (let n = 0; n < 17; n++) {
      const taskId = await startTask(a, specOf(training));
      await append(a, taskId, 0, root(0));
      ids.push(taskId);
    }
    await mine(TERMS.beaconDelay + 1);
    for (const id of ids) await market.write.draw([id, 0], by(wallets.stranger));
    const seal = (id: Bytes32, draw = 0n) => market.write.seal([id, 0, draw, root(5)], by(wallets.verifier));
    await revertWithCustomErrorWithArgs(seal(ids[0]!, 2n), market, "DrawWrong", [2n]);
    for (const id of ids.slice(0, 16)) await seal(id);
    await revertWithCustomErrorWithArgs(seal(ids[16]!), market, "SeatBusy", [0n, 16n]);
    await market.write.leaveSeat([0n], by(wallets.verifier));
    await time.increase(86_401);
    const withdraw = market.write.withdrawSeat([0n], by(wallets.verifier));
    await revertWithCustomErrorWithArgs(withdraw, market, "SeatBusy", [0n, 16n]);
  });
});

describe("money", () => {
  it("is all paid out in the end, whatever happened", async () => {
    const a = await arena();
    const { market, token } = a;
    await market.write.joinSeats([2n], by(wallets.verifier));
    const random = new Random(99);
    const ids: Bytes32[] = [];
    for (let n = 0; n < 6; n++) {
      const terms = { price: parseEther("7") + BigInt(random.below(1000)), challengerBond: parseEther("1") + 1001n };
      const taskId = await startTask(a, specOf(training, { ...terms, solverBond: terms.price * 2n + 3n }));
      ids.push(taskId);
      await append(a, taskId, 0, root(n));
    }
    ids.push(await post(a, specOf(training)));
    await market.write.cancel([ids.at(-1)!], by(wallets.requester));
    await mine(TERMS.beaconDelay + 1);
    for (const id of ids.slice(0, 6)) {
      await market.write.draw([id, 0], by(wallets.stranger));
      const sealed = digestSeal(id, 0, wallets.verifier.account.address, SALT, root(1));
      if (random.chance(0.8)) await market.write.seal([id, 0, 0n, sealed], by(wallets.verifier));
    }
    await time.increase(TERMS.sealWindow);
    const disputes: Bytes32[] = [];
    for (const [n, id] of ids.slice(0, 6).entries()) {
      const { status } = await market.read.attestationOf([id, 0, wallets.verifier.account.address]);
      if (status === 1 && n !== 1) await market.write.reveal([id, 0, SALT, root(1)], by(wallets.verifier));
      if (n % 2 === 0) {
        for (const challenger of [wallets.challenger, wallets.stranger]) {
          disputes.push((await challenge(a, id, 0, wallets.solver, training, challenger)).disputeId);
          const revealed = (await market.read.attestationOf([id, 0, wallets.verifier.account.address])).status === 2;
          if (revealed) disputes.push((await challenge(a, id, 0, wallets.verifier, training, challenger)).disputeId);
        }
      }
      if (n === 3) await append(a, id, 1, root(1));
    }
    await time.increase(50_000);
    for (const id of disputes) await a.game.write.claimTimeout([id], by(wallets.stranger));
    for (const id of ids) {
      const { status, committed } = await market.read.task([id]);
      if (status === 2) await market.write[committed === 2 ? "settle" : "expire"]([id], by(wallets.stranger));
      const { status: attested } = await market.read.attestationOf([id, 0, wallets.verifier.account.address]);
      if (attested === 1 || attested === 2) {
        await market.write.closeAttestation([id, 0, wallets.verifier.account.address], by(wallets.stranger));
      }
    }
    for (const seat of [0n, 1n]) {
      if ((await market.read.seatOf([seat])).empty) continue;
      if ((await market.read.seatOf([seat])).leftAt === 0) await market.write.leaveSeat([seat], by(wallets.verifier));
      await time.increase(86_401);
      await market.write.withdrawSeat([seat], by(wallets.stranger));
    }
    const { requester, solver, challenger, stranger, verifier } = wallets;
    const accounts = [requester, solver, challenger, stranger, verifier].map(({ account }) => account.address);
    for (const account of [...accounts, BURNED] as const) {
      if ((await market.read.credit([account])) > 0n) await market.write.withdraw([account], by(stranger));
    }
    assert.equal(await token.read.balanceOf([market.address]), 0n);
    assert.ok((await token.read.balanceOf([BURNED])) > 0n);
  });
});

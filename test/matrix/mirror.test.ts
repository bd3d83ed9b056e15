/** The mirror of the cheat matrix: whatever a challenger tries, an honest defendant is not convicted and loses nothing but gas. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { accuse } from "../../shared/dispute/challenger.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { upheld } from "../../shared/economics/payout.ts";
import { by, networkHelpers, viem, wallets } from "../contracts/support/arena.ts";
import { append, challenge, TERMS } from "../contracts/support/task.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { playGame } from "../endToEnd/gameOnChain.ts";
import { accusations } from "./accusations.ts";
import { steer } from "./accusers.ts";
import { type Acquitted, acquit } from "./acquit.ts";
import { Claim } from "./claim.ts";
import { burnedOf, PAYOUT_CASES, payoutLine, payoutsOf, runOut } from "./payouts.ts";
import { convict } from "./play.ts";
import { openStage, type Stage } from "./stage.ts";
import { keyOf, lineOf, MIRROR, mirrorOf, type PlayedRow } from "./table.ts";
import { FAMILIES, flipped, honestStep, operatorOf, outputLie } from "./words.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const UPDATE = DEEP && process.env.TOUCHSTONE_UPDATE_SNAPSHOTS === "1";
/** What a defendant's moves of one dispute may cost, and the gas price at which half the least bond makes it good. */
const DEFENDANT_GAS = 600_000;
const GAS_PRICE = 100n * 10n ** 9n;
/** Of a task's status. */
const FAILED = 4;

const open = (attested: boolean): Promise<Stage> =>
  openStage(smallJob({ steps: 7, interval: 4 }), smallInitialState(), { attested });

const payouts: string[] = [];
const played: (PlayedRow & { ended: Acquitted })[] = [];
const keys: string[] = [];

test("convicting oneself never pays, whatever the bonds and whoever is a friend", async () => {
  const stage = await open(false);
  for (const payoutCase of PAYOUT_CASES) {
    const result = await payoutsOf(stage, payoutCase);
    const { pair, trio } = result;
    // Everything that is not burned stays in the family: the friends lose exactly what is, at least the price.
    assert.equal(trio, -burnedOf(payoutCase));
    assert(-trio >= TERMS.price, "a self-conviction costs less than the price");
    // Without the requester they also lose its quarter.
    assert(pair < trio);
    payouts.push(payoutLine(payoutCase, result));
  }
});

test("a challenger that is paid to lose, or that convicts first, saves the cheat nothing", async () => {
  const stage = await open(false);
  const { arena, taskId, training, run, honest } = stage;
  await stage.accepted();
  const operator = operatorOf(stage, "hidden");
  const lie = outputLie(stage, 2, operator, flipped(honestStep(stage, 2).outputs[operator]!.words, 500, 0x1000));
  // The whole matrix says that the honest challenger convicts; here a friend has lost about the same segment before.
  const traced = await lie.steps!.get(2)!(honestStep(stage, 1).state, honestStep(stage, 2));
  const third = await stage.tracer.trace(3, traced.state);
  const claim = new Claim(honest[0]!, honest[0]!.start, [...honest[0]!.numbers.slice(0, 2), traced, third]);
  await append(arena, taskId, 0, claim.endRoot);
  const defendant = {
    wallet: wallets.solver,
    move: (walk: Parameters<typeof defend>[2]) => defend(run, claim.evidence, walk),
  };
  const paid = await playGame(
    arena,
    {
      defendant,
      challenger: {
        wallet: wallets.stranger,
        move: (walk) => steer(run, claim.evidence, walk, { leaf: 0, tensor: 0, tile: 0, word: 0 }),
      },
    },
    taskId,
    0,
    training,
  );
  assert.equal(paid.walk.outcome!.defendantConvicted, false, "the friend has lost");
  const own = await stage.evidence(0, honest[0]!.start);
  const second = await playGame(
    arena,
    { defendant, challenger: { wallet: wallets.challenger, move: (walk) => accuse(run, own, walk) } },
    taskId,
    0,
    training,
  );
  assert.equal(second.walk.outcome!.defendantConvicted, true);
  assert.equal(second.walk.position.tensor, operator);
  const credit = await arena.market.read.credit([wallets.challenger.account.address]);
  assert.equal(credit, TERMS.challengerBond + TERMS.solverBond / 4n);
});

test("nobody else can make the winning move, or any other of the challenger's", async () => {
  const stage = await open(false);
  await stage.accepted();
  const kinds = new Set<string>();
  const operator = operatorOf(stage, "y.peakA");
  const words = honestStep(stage, 2).outputs[operator]!.words.map((word) => word + 0x800000);
  // Whoever sees the move coming sends it first.
  await convict(stage, {
    ...outputLie(stage, 2, operator, words),
    async beforeAttack(send, move) {
      kinds.add(move.kind);
      for (const wallet of [wallets.stranger, wallets.solver, wallets.requester]) {
        await viem.assertions.revertWithCustomError(send(wallet), stage.arena.game, "DisputeSender");
      }
    },
  });
  for (const kind of ["enterStep", "enterTensor", "demandPartials", "choosePartial", "adjudicatePartial"]) {
    assert(kinds.has(kind), `no ${kind} was copied`);
  }
});

test("both sides may use the last second of their clocks, and not one more", async () => {
  const stage = await open(true);
  const { arena, taskId, training, honest } = stage;
  const { game } = arena;
  const { tree } = honest[0]!;
  for (const side of ["defendant", "challenger"] as const) {
    /** A dispute in which `side` is to move, its move, and its deadline. */
    const begin = async () => {
      await stage.attested();
      const { disputeId, subject } = await challenge(arena, taskId, 0, wallets.solver, training);
      const answer = () => game.write.answer([disputeId, subject, tree.root, tree.proof(7)], by(wallets.solver));
      const choice = { child: 2, hash: tree.node(0, 2), siblings: tree.proof(2) };
      const choose = () => game.write.enterStep([disputeId, choice, subject], by(wallets.challenger));
      if (side === "challenger") {
        await answer();
        await game.write.open([disputeId, tree.opening(3, 0)], by(wallets.solver));
      }
      const deadline = Number(await game.read.deadline([disputeId]));
      const claim = () => game.write.claimTimeout([disputeId], by(wallets.stranger));
      return { disputeId, move: side === "defendant" ? answer : choose, deadline, claim };
    };
    const early = await begin();
    await networkHelpers.time.setNextBlockTimestamp(early.deadline);
    await viem.assertions.revertWithCustomError(early.claim(), game, "TimeoutEarly");

    const inTime = await begin();
    await networkHelpers.time.setNextBlockTimestamp(inTime.deadline);
    await inTime.move();
    const { clock } = await game.read.dispute([inTime.disputeId]);
    assert.equal(clock[side], 0);
    assert.equal(clock.movedAt, inTime.deadline);

    const late = await begin();
    await networkHelpers.time.setNextBlockTimestamp(late.deadline + 1);
    await viem.assertions.revertWithCustomError(late.move(), game, "ChessClockExpired");
    await late.claim();
    const { status } = await arena.market.read.task([taskId]);
    assert.equal(status === FAILED, side === "defendant");
  }
});

test("disputes that are opened again and again cost their challenger more each, and the solver one answer", async () => {
  const stage = await open(true);
  await stage.attested();
  const { arena, taskId, training, honest } = stage;
  const { game, market, token } = arena;
  const own = await stage.evidence(0, honest[0]!.start);
  const challenger = wallets.challenger.account.address;
  const spent = await token.read.balanceOf([challenger]);
  const opened = [];
  for (let at = 0; at < 4; at++) opened.push(await challenge(arena, taskId, 0, wallets.solver, training));
  const units = 1n + 2n + 3n + 4n;
  assert.equal(spent - (await token.read.balanceOf([challenger])), units * TERMS.challengerBond);
  const [first, ...others] = opened;
  const { tree } = own;
  await game.write.answer([first!.disputeId, first!.subject, tree.root, tree.proof(7)], by(wallets.solver));
  const again = game.write.answer([others[0]!.disputeId, first!.subject, tree.root, tree.proof(7)], by(wallets.solver));
  await viem.assertions.revertWithCustomError(again, game, "DisputeAnswered");
  for (const { disputeId, subject } of others) await game.write.adopt([disputeId, subject], by(wallets.stranger));
  // A friend of the challenger convicts nobody either: every one of them is lost by time after the opening.
  for (const { disputeId } of opened) await game.write.open([disputeId, tree.opening(3, 0)], by(wallets.stranger));
  for (const { disputeId } of opened) await runOut(arena, disputeId);
  assert.equal(await market.read.credit([wallets.solver.account.address]), (units * TERMS.challengerBond) / 2n);
  assert.equal(await market.read.credit([challenger]), 0n);
  assert.equal((await market.read.task([taskId])).openDisputes, 0);
});

test("no challenger without a case convicts an honest defendant, whatever it tries", async (t) => {
  const stage = await open(true);
  for (const row of accusations(stage)) {
    keys.push(keyOf(row));
    if (!DEEP && !row.isQuick) continue;
    const ended = await acquit(stage, row.accuser()).catch((error: unknown) => {
      throw new Error(keyOf(row), { cause: error });
    });
    played.push({ row, ended });
  }
  const dearest = Math.max(...played.map(({ ended }) => ended.defendantGas));
  t.diagnostic(`${played.length} of ${keys.length} challengers; the dearest cost its defendant ${dearest} gas`);
  assert(dearest <= DEFENDANT_GAS);
  // Of the least bond that a market takes, with a token worth an ether.
  assert(upheld(TERMS.solverBond / 64n).defendant >= BigInt(dearest) * GAS_PRICE);

  assert.equal(new Set(keys).size, keys.length, "rows that do not differ");
  assert(keys.length >= 300 && played.length >= 40);
  for (const family of FAMILIES)
    assert(
      played.some(({ row }) => row.about === family),
      family,
    );

  if (UPDATE) writeFileSync(MIRROR, mirrorOf(played, payouts));
  const table = readFileSync(MIRROR, "utf8");
  if (DEEP) assert.equal(table, mirrorOf(played, payouts));
  const lines = table.split("\n");
  for (const key of keys)
    assert(
      lines.some((line) => line.startsWith(key)),
      `${MIRROR} lacks ${key}`,
    );
  for (const row of played) assert(lines.includes(lineOf(row)), `${MIRROR} says something else than ${lineOf(row)}`);
  for (const line of payouts) assert(lines.includes(line), `${MIRROR} says something else than ${line}`);
});

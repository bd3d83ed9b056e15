/** Plays one dishonest challenger against an honest defendant through the real contracts. */
import assert from "node:assert/strict";
import { revertData } from "../../shared/chain/revert.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { Level } from "../../shared/dispute/position.ts";
import { BURNED, upheld } from "../../shared/economics/payout.ts";
import { by, networkHelpers, wallets } from "../contracts/support/arena.ts";
import { TERMS } from "../contracts/support/task.ts";
import { type PlayedGame, playGame } from "../endToEnd/gameOnChain.ts";
import { type Accuser, steer } from "./accusers.ts";
import { describe } from "./place.ts";
import type { Stage } from "./stage.ts";

export interface Acquitted {
  readonly where: string;
  readonly reason: string;
  readonly transactions: number;
  readonly gas: bigint;
  /** Of the defendant's moves. */
  readonly defendantGas: number;
  readonly refused: readonly string[];
}

const DEFENDANT_MOVES = /^(answer|open|openTile|claimPartials|answer\+open)$/;
/** Of a task's status. */
const ACCEPTED = 2;
const SETTLED = 3;

/** @throws AssertionError unless the challenger loses its bond, and the defendant nothing. */
export async function acquit(stage: Stage, accuser: Accuser): Promise<Acquitted> {
  await stage.attested();
  const { arena, taskId, run } = stage;
  const { segment, ofVerifier = false } = accuser;
  const honest = await stage.evidence(segment, stage.honest[segment]!.start);
  const defendant = ofVerifier ? wallets.verifier : wallets.solver;
  const meddled: string[] = [];
  const game = await playGame(
    arena,
    {
      defendant: { wallet: defendant, move: (walk) => defend(run, honest, walk) },
      challenger: {
        wallet: wallets.challenger,
        async move(walk) {
          if (accuser.silentAt?.(walk.position)) return null;
          const move = await steer(run, honest, walk, accuser.target);
          return move === null || accuser.change === undefined ? move : accuser.change(move, walk);
        },
      },
      async beforeDefence(context) {
        for (const attempt of accuser.meddle?.(stage, context) ?? []) meddled.push(await mustFail(attempt()));
      },
    },
    taskId,
    segment,
    stage.training,
  );
  const { outcome, position } = game.walk;
  assert.equal(outcome?.defendantConvicted, false, JSON.stringify([game.moves, game.refused]));
  if (accuser.silentAt !== undefined) assert(accuser.silentAt(position), "the walk did not come to the silence");
  if (accuser.silentAt === undefined && accuser.change === undefined) checkPlace(accuser, game);
  if (accuser.meddle !== undefined) assert.notEqual(meddled.length, 0, "nothing was tried in the defendant's turns");
  await checkMoney(stage, defendant);
  return {
    where: describe(stage, game),
    reason: outcome.reason,
    transactions: game.moves.length,
    gas: game.gas,
    defendantGas: game.gasOf
      .filter((_, at) => DEFENDANT_MOVES.test(game.moves[at]!))
      .reduce((sum, gas) => sum + gas, 0),
    refused: [...new Set([...meddled, ...game.refused])],
  };

  /** The name of the error with which the chain refuses a transaction. */
  async function mustFail(transaction: Promise<unknown>): Promise<string> {
    const error = await transaction.then(
      () => null,
      (cause: unknown) => cause,
    );
    assert(error !== null, "a forged move was taken");
    const data = revertData(error);
    if (data === undefined) throw error;
    return stage.errorName(data);
  }
}

/** A challenger that only aims wrong comes to what it aims at, and is judged there. */
function checkPlace({ target }: Accuser, { walk, refused }: PlayedGame): void {
  const { level, step, ofState, tensor, index } = walk.position;
  assert.deepEqual(refused, []);
  assert.notEqual(walk.outcome!.reason, "timeout");
  if (level !== Level.tile && level !== Level.partials) return;
  assert.deepEqual([2 * step + (ofState ? 1 : 0), tensor, index], [target.leaf, target.tensor, target.tile]);
}

/** The bond is gone, half of it to the defendant; the task goes on, and its solver is paid in full. */
async function checkMoney({ arena, taskId, honest }: Stage, defendant: typeof wallets.solver): Promise<void> {
  const credit = (address: `0x${string}`) => arena.market.read.credit([address]);
  const shares = upheld(TERMS.challengerBond);
  assert.equal(await credit(wallets.challenger.account.address), 0n);
  assert.equal(await credit(defendant.account.address), shares.defendant);
  assert.equal(await credit(BURNED), shares.burned);
  const { status, openDisputes, finalAt } = await arena.market.read.task([taskId]);
  assert.deepEqual([status, openDisputes], [ACCEPTED, 0]);
  if (defendant === wallets.verifier) {
    for (const segment of honest.keys()) {
      await networkHelpers.time.increase(1);
      const [, , challengeEnd] = await arena.market.read.windowsOf([taskId, segment]);
      await networkHelpers.time.increaseTo(Math.max(Number(challengeEnd) + 1, await networkHelpers.time.latest()) + 1);
      await arena.market.write.closeAttestation([taskId, segment, defendant.account.address], by(wallets.stranger));
    }
    const fees = TERMS.verifierFee * BigInt(honest.length);
    assert.equal(await credit(defendant.account.address), shares.defendant + fees);
    const { empty } = await arena.market.read.seatOf([0n]);
    assert.equal(empty, false);
    return;
  }
  if (finalAt >= (await networkHelpers.time.latest())) await networkHelpers.time.increaseTo(finalAt + 1);
  await arena.market.write.settle([taskId], by(wallets.stranger));
  assert.equal(await credit(wallets.solver.account.address), TERMS.price + TERMS.solverBond + shares.defendant);
  assert.equal((await arena.market.read.task([taskId])).status, SETTLED);
}

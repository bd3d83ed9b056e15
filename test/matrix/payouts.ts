/** What a coalition of a convicted solver and its friends ends up with, through the real market. */
import assert from "node:assert/strict";
import { type Bytes32, ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { by, networkHelpers, type Wallet, wallets } from "../contracts/support/arena.ts";
import { challenge, post, specOf, TERMS } from "../contracts/support/task.ts";
import type { Stage } from "./stage.ts";

export interface PayoutCase {
  /** solverBond as a multiple of the price, in tenths. */
  readonly bondTenths: bigint;
  /** solverBond / challengerBond. */
  readonly bondRatio: bigint;
  /** Disputes that friends open about an honest segment first, and lose. */
  readonly shams: number;
}

export const PAYOUT_CASES: readonly PayoutCase[] = [20n, 21n, 35n, 100n].flatMap((bondTenths) =>
  [4n, 9n, 64n].flatMap((bondRatio) => [0, 3].map((shams) => ({ bondTenths, bondRatio, shams }))),
);

export interface Payouts {
  /** Net of the solver and its challenging friend, and of both with the requester. */
  readonly pair: bigint;
  readonly trio: bigint;
}

/** Lets the side to move run out of time, and has a stranger say so. */
export async function runOut({ game }: Stage["arena"], disputeId: Bytes32): Promise<void> {
  const deadline = Number(await game.read.deadline([disputeId]));
  const now = await networkHelpers.time.latest();
  if (deadline >= now) await networkHelpers.time.increaseTo(deadline + 1);
  await game.write.claimTimeout([disputeId], by(wallets.stranger));
}

const JUNK: Bytes32 = `0x${"ab".repeat(32)}`;

/** Plays the case; what each coalition has won (or lost) in the end, in the token's smallest unit. */
export async function payoutsOf(stage: Stage, { bondTenths, bondRatio, shams }: PayoutCase): Promise<Payouts> {
  await stage.accepted();
  const { arena, training } = stage;
  const { token, market, game } = arena;
  const solverBond = (TERMS.price * bondTenths) / 10n;
  const terms = { ...TERMS, solverBond, challengerBond: (solverBond + bondRatio - 1n) / bondRatio };
  const friends = [wallets.solver, wallets.challenger];
  const everybody = [...friends, wallets.requester];
  const purse = async (members: readonly Wallet[]): Promise<bigint> => {
    let sum = 0n;
    for (const { account } of members) {
      sum += (await token.read.balanceOf([account.address])) + (await market.read.credit([account.address]));
    }
    return sum;
  };
  const before = [await purse(friends), await purse(everybody)];
  const taskId = await post(arena, specOf(training, terms));
  await market.write.accept([taskId], by(wallets.solver));
  // An honest first segment, disputed by friends that never move again after its answer.
  const { tree, endRoot } = stage.honest[0]!;
  await market.write.appendCheckpoint([taskId, 0, endRoot, ZERO_BYTES32], by(wallets.solver));
  const disputes: Bytes32[] = [];
  for (let sham = 0; sham < shams; sham++) {
    const { disputeId, subject } = await challenge(arena, taskId, 0, wallets.solver, training);
    if (sham === 0) {
      await game.write.answer([disputeId, subject, tree.root, tree.proof(tree.leafCount - 1)], by(wallets.solver));
    }
    await game.write.open([disputeId, tree.opening(tree.depth, 0)], by(wallets.solver));
    disputes.push(disputeId);
  }
  for (const disputeId of disputes) await runOut(arena, disputeId);
  // Then a false one, and no answer.
  await market.write.appendCheckpoint([taskId, 1, JUNK, ZERO_BYTES32], by(wallets.solver));
  const { disputeId } = await challenge(arena, taskId, 1, wallets.solver, training);
  await runOut(arena, disputeId);
  const FAILED = 4;
  assert.equal((await market.read.task([taskId])).status, FAILED);
  return { pair: (await purse(friends)) - before[0]!, trio: (await purse(everybody)) - before[1]! };
}

/** The burned half, and half of every sham challenge: what nobody of a coalition gets back. */
export function burnedOf({ bondTenths, bondRatio, shams }: PayoutCase): bigint {
  const solverBond = (TERMS.price * bondTenths) / 10n;
  const challengerBond = (solverBond + bondRatio - 1n) / bondRatio;
  const sham = Array.from({ length: shams }, (_, open) => {
    const bond = BigInt(open + 1) * challengerBond;
    return bond - bond / 2n;
  });
  return solverBond - 2n * (solverBond / 4n) + sham.reduce((sum, bond) => sum + bond, 0n);
}

export function payoutLine({ bondTenths, bondRatio, shams }: PayoutCase, { pair, trio }: Payouts): string {
  const thousandths = (amount: bigint): string => String((amount * 1000n) / TERMS.price);
  return `| ${Number(bondTenths) / 10} | ${bondRatio} | ${shams} | ${thousandths(pair)} | ${thousandths(trio)} | 1000 |`;
}

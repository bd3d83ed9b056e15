/**
 * Plays disputes through the real TrainingMarket, DisputeGame and Referee on an in-process chain. Both sides are the programs' own
 * strategies, and all that they know of each other comes from the logs.
 */
import assert from "node:assert/strict";
import { decodeErrorResult, decodeFunctionData, type Hex, parseEventLogs } from "viem";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { revertData } from "../../shared/chain/revert.ts";
import type { DisputeEvent } from "../../shared/dispute/events.ts";
import type { ChallengerMove, DefendantMove, Move } from "../../shared/dispute/moves.ts";
import { Walk } from "../../shared/dispute/walk.ts";
import type { DisputedSubject } from "../../shared/service/marketBook.ts";
import { sendMove } from "../../shared/service/sendMove.ts";
import { type Arena, by, networkHelpers, publicClient, type Wallet } from "../contracts/support/arena.ts";

export interface Players {
  readonly defendant: { readonly wallet: Wallet; move(walk: Walk): Promise<DefendantMove | null> };
  readonly challenger: { readonly wallet: Wallet; move(walk: Walk): Promise<ChallengerMove | null> };
  /** What others do before each of the defendant's moves. */
  beforeDefence?(context: { disputeId: Hex; subject: DisputedSubject; walk: Walk }): Promise<void>;
  /** What others do before a move of the challenger that they have seen coming. */
  beforeAttack?(send: (wallet: Wallet) => Promise<Hex>, move: ChallengerMove): Promise<void>;
}

/** A claim of partial results, and which part the challenger had split or recomputed. */
export interface Claim {
  readonly exponent: bigint;
  readonly values: readonly bigint[];
  chosen: number;
}

export interface PlayedGame {
  readonly claims: readonly Claim[];
  readonly walk: Walk;
  readonly moves: readonly string[];
  /** Errors of the game with which it refused a move; the side that tried it is silent from then on. */
  readonly refused: readonly string[];
  readonly gas: bigint;
  /** Gas of the transaction of each of `moves`. */
  readonly gasOf: readonly number[];
  /** Calldata of the transaction that decided, decoded. */
  readonly deciding: { readonly functionName: string; readonly args: readonly unknown[] };
}

/** Challenges a segment and plays until somebody is convicted; a side that does not move runs out of time. */
export async function playGame(
  arena: Arena,
  { defendant, challenger, beforeDefence, beforeAttack }: Players,
  taskId: Hex,
  segment: number,
  training: Parameters<Arena["market"]["write"]["challenge"]>[0][3],
): Promise<PlayedGame> {
  const moves: string[] = [];
  const refused: string[] = [];
  const claims: Claim[] = [];
  const gasOf: number[] = [];
  let walk: Walk | null = null;
  let opened: { readonly disputeId: Hex; readonly subject: DisputedSubject } | null = null;
  let last: Hex = "0x";
  const take = async (name: string, transaction: Promise<Hex>): Promise<void> => {
    last = await transaction;
    const receipt = await publicClient.getTransactionReceipt({ hash: last });
    assert.equal(receipt.status, "success", name);
    moves.push(name);
    gasOf.push(Number(receipt.gasUsed));
    for (const log of parseEventLogs({ abi: contractAbi("DisputeGame"), logs: receipt.logs })) {
      if (log.eventName === "DisputeOpened") {
        const { disputeId, subject } = log.args;
        const { operatorCount, stateCount } = subject.training.program;
        opened = { disputeId, subject };
        walk = new Walk({ operatorCount, stateCount });
      }
      if (log.eventName === "PartialsClaimed") claims.push({ ...log.args, chosen: -1 });
      if (log.eventName === "PartialChosen") claims.at(-1)!.chosen = log.args.part;
      walk?.apply(log as unknown as DisputeEvent);
    }
  };
  const args = [taskId, segment, defendant.wallet.account.address, training] as const;
  await take("challenge", arena.market.write.challenge(args, by(challenger.wallet)));
  assert(opened !== null && walk !== null);
  const { disputeId, subject } = opened as { readonly disputeId: Hex; readonly subject: DisputedSubject };
  const current = walk as Walk;
  /** Makes a move; the name of the error where the game refuses it. */
  const tried = async (move: Move, wallet: Wallet): Promise<string | null> => {
    const transaction = write(arena, disputeId, subject, move, wallet);
    const error = await transaction.then(() => null, refusal);
    if (error !== null) return error;
    if (move.kind === "adjudicatePartial") claims.at(-1)!.chosen = move.choice.part;
    await take(nameOf(move), transaction);
    return null;
  };
  while (current.outcome === null) {
    const [side, other] = current.turn === "defendant" ? [defendant, challenger] : [challenger, defendant];
    if (side === defendant) await beforeDefence?.({ disputeId, subject, walk: current });
    const move = await side.move(current);
    if (side === challenger && move !== null) {
      await beforeAttack?.((wallet) => write(arena, disputeId, subject, move, wallet), move as ChallengerMove);
    }
    const error = move === null ? null : await tried(move, side.wallet);
    if (error !== null) refused.push(error);
    if (move !== null && error === null) continue;
    const deadline = await arena.game.read.deadline([disputeId]);
    await networkHelpers.time.increaseTo(deadline + 1n);
    await take("claimTimeout", arena.game.write.claimTimeout([disputeId], by(other.wallet)));
  }
  const { input } = await publicClient.getTransaction({ hash: last });
  const { functionName, args: decoded } = decodeFunctionData({ abi: contractAbi("DisputeGame"), data: input });
  return {
    walk: current,
    claims,
    moves,
    refused,
    gas: BigInt(gasOf.reduce((sum, used) => sum + used, 0)),
    gasOf,
    deciding: { functionName, args: (decoded ?? []) as readonly unknown[] },
  };
}

/** The name of the contracts' error that a transaction failed with. @throws whatever else it failed with. */
function refusal(error: unknown): string {
  const data = revertData(error);
  if (data === undefined) throw error;
  return decodeErrorResult({ abi: [...contractAbi("DisputeGame"), ...contractAbi("Referee")], data }).errorName;
}

/** The move's kind; an answer that travels with its opening says so. */
function nameOf(move: Move): string {
  return move.kind === "answer" && move.children !== undefined ? "answer+open" : move.kind;
}

/** Sends a move as the programs do, and returns the hash of its transaction. */
async function write(
  { game, market, token, referee }: Arena,
  disputeId: Hex,
  subject: DisputedSubject,
  move: Move,
  wallet: Wallet,
): Promise<Hex> {
  const sender = {
    async send(call: object) {
      const options = { ...by(wallet), ...call } as Parameters<Wallet["writeContract"]>[0];
      return { hash: await wallet.writeContract(options) };
    },
  };
  const deployment = {
    game: game.address,
    market: market.address,
    token: token.address,
    referee: referee.address,
  };
  // SAFETY: of a sender sendMove needs that it sends, of a deployment where the game is.
  const context = { sender, deployment } as unknown as Parameters<typeof sendMove>[0];
  return (await sendMove(context, disputeId, subject, move, Number.MAX_SAFE_INTEGER)).hash;
}

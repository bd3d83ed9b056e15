/** One dispute as the chain recorded it: its moves in order, what each cost, and where the walk went. */
import { type Hex, parseEventLogs } from "viem";
import type { Chain } from "../../shared/chain/connect.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import type { Deployment } from "../../shared/chain/deployments.ts";
import type { DisputeEvent, Reason } from "../../shared/dispute/events.ts";
import { REASONS } from "../../shared/dispute/events.ts";

export interface RecordedMove {
  readonly move: string;
  readonly event: DisputeEvent;
  readonly transaction: Hex;
  /** Gas of the transaction, its base cost included. */
  readonly gas: bigint;
}

export interface Transcript {
  readonly disputeId: Hex;
  readonly moves: readonly RecordedMove[];
  readonly defendantConvicted: boolean;
  readonly reason: Reason;
  /** Openings and claims by the defendant's side, each followed by a choice. */
  readonly rounds: number;
  readonly transactions: number;
  /** Receipt gas of both sides, from challenge to outcome. */
  readonly totalGas: bigint;
  readonly gasByMove: ReadonlyMap<string, bigint>;
}

const MOVE_OF_EVENT: Readonly<Record<DisputeEvent["eventName"], string>> = {
  DisputeOpened: "challenge",
  Answered: "answer",
  TreeEntered: "enterTree",
  NodeOpened: "open",
  ChildChosen: "choose",
  StepEntered: "enterStep",
  TensorEntered: "enterTensor",
  TileOpened: "openTile",
  PartialsDemanded: "demandPartials",
  PartialsClaimed: "claimPartials",
  PartialChosen: "choosePartial",
  DisputeResolved: "adjudicate",
};
const ROUND_MOVES = ["open", "openTile", "claimPartials"];

/** Reads a resolved dispute's logs and receipts. @param fromBlock no later than its first block. */
export async function readTranscript(
  chain: Chain,
  { game }: Deployment,
  disputeId: Hex,
  fromBlock: bigint,
): Promise<Transcript> {
  const logs = await chain.client.getLogs({ address: game, fromBlock, toBlock: "latest" });
  const decoded = parseEventLogs({ abi: contractAbi("DisputeGame"), logs }).filter(
    ({ args }) => "disputeId" in args && args.disputeId === disputeId,
  );
  const gas = new Map<Hex, bigint>();
  for (const { transactionHash } of decoded) {
    if (gas.has(transactionHash)) continue;
    gas.set(transactionHash, (await chain.client.getTransactionReceipt({ hash: transactionHash })).gasUsed);
  }
  const moves = decoded.map((log): RecordedMove => {
    const event = { eventName: log.eventName, args: log.args } as unknown as DisputeEvent;
    return { move: moveName(event), event, transaction: log.transactionHash, gas: gas.get(log.transactionHash)! };
  });
  const last = moves.at(-1)?.event;
  if (last?.eventName !== "DisputeResolved") throw new RangeError(`dispute ${disputeId} is not resolved`);
  return {
    disputeId,
    moves,
    defendantConvicted: last.args.defendantConvicted,
    reason: REASONS[last.args.reason]!,
    rounds: moves.filter(({ move }) => ROUND_MOVES.includes(move)).length,
    transactions: gas.size,
    totalGas: [...gas.values()].reduce((sum, each) => sum + each, 0n),
    gasByMove: sumByMove(moves),
  };
}

/** The last event of a transaction names its move: a choice in the padding decides at once, a time-out is claimed. */
function moveName(event: DisputeEvent): string {
  if (event.eventName === "DisputeResolved" && REASONS[event.args.reason] === "timeout") return "claimTimeout";
  return MOVE_OF_EVENT[event.eventName];
}

/** Moves that share a transaction share its gas: `answer+open`. A challenge of what is answered already is one move. */
function sumByMove(moves: readonly RecordedMove[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  const transactions = Map.groupBy(moves, ({ transaction }) => transaction);
  for (const made of transactions.values()) {
    const names = made.map(({ move }) => move);
    const name = names[0] === "challenge" ? "challenge" : names.join("+");
    sums.set(name, (sums.get(name) ?? 0n) + made[0]!.gas);
  }
  return sums;
}

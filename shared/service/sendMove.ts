/** A move of the game as a call of its contract. */
import { type ContractFunctionArgs, encodeFunctionData, type Hex } from "viem";
import { type Artifact, contractAbi } from "../chain/contracts.ts";
import type { Included } from "../chain/sender.ts";
import type { Move } from "../dispute/moves.ts";
import type { ProgramContext } from "../programOptions.ts";
import type { DisputedSubject } from "./marketBook.ts";

type GameAbi = Artifact<"DisputeGame">["abi"];
/** Read when it is needed: programs start before the contracts are compiled. */
const gameAbi = (): GameAbi => contractAbi("DisputeGame");

/** A function of the game with its arguments. */
export type MoveCall = {
  readonly [name in Move["kind"]]: {
    readonly functionName: name;
    readonly args: ContractFunctionArgs<GameAbi, "nonpayable", name>;
  };
}[Move["kind"]];

export function moveCall(disputeId: Hex, subject: DisputedSubject, move: Move): MoveCall {
  switch (move.kind) {
    case "answer":
      return { functionName: "answer", args: [disputeId, subject, move.segmentRoot, move.siblings] };
    case "open":
      return { functionName: "open", args: [disputeId, move.children] };
    case "openTile":
      return { functionName: "openTile", args: [disputeId, move.words] };
    case "claimPartials": {
      const { descriptor, exponent, values } = move;
      return { functionName: "claimPartials", args: [disputeId, subject, descriptor, exponent, sixteen(values)] };
    }
    case "enterTree":
      return { functionName: "enterTree", args: [disputeId, subject, move.digest] };
    case "choose":
      return { functionName: "choose", args: [disputeId, move.choice] };
    case "enterStep":
      return { functionName: "enterStep", args: [disputeId, move.choice, subject] };
    case "enterTensor":
      return { functionName: "enterTensor", args: [disputeId, move.choice, subject, move.descriptor] };
    case "demandPartials": {
      const { element, words, descriptor } = move;
      return { functionName: "demandPartials", args: [disputeId, element, words, subject, descriptor] };
    }
    case "adjudicate": {
      const { element, words, descriptor, step, witness } = move;
      return { functionName: "adjudicate", args: [disputeId, element, words, subject, descriptor, step, witness] };
    }
    case "choosePartial":
      return { functionName: "choosePartial", args: [disputeId, move.choice] };
    case "adjudicatePartial": {
      const { choice, descriptor, step, witness } = move;
      return { functionName: "adjudicatePartial", args: [disputeId, choice, subject, descriptor, step, witness] };
    }
    case "adjudicateDigest": {
      const { choice, descriptor, tileHash, siblings } = move;
      return { functionName: "adjudicateDigest", args: [disputeId, choice, subject, descriptor, tileHash, siblings] };
    }
  }
}

type SendingContext = Pick<ProgramContext, "sender" | "deployment">;

/**
 * @param deadline last second of block time in which the move counts.
 * @throws as `Sender.send`.
 */
export async function sendMove(
  context: SendingContext,
  disputeId: Hex,
  subject: DisputedSubject,
  move: Move,
  deadline: number,
): Promise<Included> {
  const call = moveCall(disputeId, subject, move);
  if (move.kind === "answer" && move.children !== undefined) {
    return sendWithOpening(
      context,
      disputeId,
      encodeFunctionData({ abi: gameAbi(), ...call }),
      move.children,
      deadline,
    );
  }
  const { sender, deployment } = context;
  return sender.send({ address: deployment.game, abi: gameAbi(), ...call }, { deadline });
}

/**
 * Takes over the answer that the defendant has given in another dispute about the subject.
 * @param children the opening of the answered root, where it is the defendant's next move.
 * @throws as `Sender.send`.
 */
export async function sendAdoption(
  context: SendingContext,
  disputeId: Hex,
  subject: DisputedSubject,
  children: readonly Hex[] | undefined,
  deadline: number,
): Promise<Included> {
  const call = { abi: gameAbi(), functionName: "adopt", args: [disputeId, subject] } as const;
  if (children !== undefined) return sendWithOpening(context, disputeId, encodeFunctionData(call), children, deadline);
  const { sender, deployment } = context;
  return sender.send({ address: deployment.game, ...call }, { deadline });
}

/** One transaction instead of two: its base cost and the cold storage are paid once. */
async function sendWithOpening(
  { sender, deployment }: SendingContext,
  disputeId: Hex,
  answer: Hex,
  children: readonly Hex[],
  deadline: number,
): Promise<Included> {
  const opening = encodeFunctionData({ abi: gameAbi(), functionName: "open", args: [disputeId, children] });
  return sender.send(
    { address: deployment.game, abi: gameAbi(), functionName: "multicall", args: [[answer, opening]] },
    { deadline },
  );
}

type Sixteen<value> = readonly [
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
  value,
];

function sixteen(values: readonly bigint[]): Sixteen<bigint> {
  // SAFETY: a claim always has its sixteen parts; the ABI encoder refuses any other number.
  return values as unknown as Sixteen<bigint>;
}

/** A move of the game as a transaction. */
import type { Hex } from "viem";
import { contractAbi } from "../chain/contracts.ts";
import type { Included } from "../chain/sender.ts";
import type { Move } from "../dispute/moves.ts";
import type { ProgramContext } from "../programOptions.ts";
import type { DisputedSubject } from "./marketBook.ts";

/**
 * @param deadline last second of block time in which the move counts.
 * @throws as `Sender.send`.
 */
export async function sendMove(
  { sender, deployment }: Pick<ProgramContext, "sender" | "deployment">,
  disputeId: Hex,
  subject: DisputedSubject,
  move: Move,
  deadline: number,
): Promise<Included> {
  const game = { address: deployment.game, abi: contractAbi("DisputeGame") } as const;
  const options = { deadline };
  switch (move.kind) {
    case "answer":
      return sender.send(
        { ...game, functionName: "answer", args: [disputeId, subject, move.segmentRoot, move.siblings] },
        options,
      );
    case "open":
      return sender.send({ ...game, functionName: "open", args: [disputeId, move.children] }, options);
    case "openTile":
      return sender.send({ ...game, functionName: "openTile", args: [disputeId, move.words] }, options);
    case "claimPartials": {
      const args = [disputeId, subject, move.descriptor, move.exponent, sixteen(move.values)] as const;
      return sender.send({ ...game, functionName: "claimPartials", args }, options);
    }
    case "enterTree":
      return sender.send({ ...game, functionName: "enterTree", args: [disputeId, subject, move.digest] }, options);
    case "choose":
      return sender.send({ ...game, functionName: "choose", args: [disputeId, move.choice] }, options);
    case "enterStep":
      return sender.send({ ...game, functionName: "enterStep", args: [disputeId, move.choice, subject] }, options);
    case "enterTensor": {
      const args = [disputeId, move.choice, subject, move.descriptor] as const;
      return sender.send({ ...game, functionName: "enterTensor", args }, options);
    }
    case "demandPartials": {
      const args = [disputeId, move.element, move.words, subject, move.descriptor] as const;
      return sender.send({ ...game, functionName: "demandPartials", args }, options);
    }
    case "adjudicate": {
      const { element, words, descriptor, step, witness } = move;
      const args = [disputeId, element, words, subject, descriptor, step, witness] as const;
      return sender.send({ ...game, functionName: "adjudicate", args }, options);
    }
    case "choosePartial":
      return sender.send({ ...game, functionName: "choosePartial", args: [disputeId, move.choice] }, options);
    case "adjudicatePartial": {
      const { choice, descriptor, step, witness } = move;
      const args = [disputeId, choice, subject, descriptor, step, witness] as const;
      return sender.send({ ...game, functionName: "adjudicatePartial", args }, options);
    }
    case "adjudicateDigest": {
      const { choice, descriptor, tileHash, siblings } = move;
      const args = [disputeId, choice, subject, descriptor, tileHash, siblings] as const;
      return sender.send({ ...game, functionName: "adjudicateDigest", args }, options);
    }
  }
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

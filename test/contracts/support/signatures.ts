/** The defendant's EIP-712 signatures (docs/protocol.md, section 4); a test may spoil the domain. */
import type { Bytes32 } from "../../../shared/commitment/bytes32.ts";
import type { Wallet } from "./arena.ts";

type Address = `0x${string}`;

export interface Domain {
  readonly name: string;
  readonly version: string;
  readonly chainId: number;
  readonly verifyingContract: Address;
}

export function domainOf(game: { readonly address: Address }): Domain {
  return { name: "Touchstone DisputeGame", version: "1", chainId: 31337, verifyingContract: game.address };
}

export interface AnswerMessage {
  readonly market: Address;
  readonly subjectHash: Bytes32;
  readonly segmentRoot: Bytes32;
}

export async function signAnswer(wallet: Wallet, domain: Domain, message: AnswerMessage): Promise<Bytes32> {
  return wallet.signTypedData({
    domain,
    types: {
      Answer: [
        { name: "market", type: "address" },
        { name: "subjectHash", type: "bytes32" },
        { name: "segmentRoot", type: "bytes32" },
      ],
    },
    primaryType: "Answer",
    message,
  });
}

export interface PartialsMessage {
  readonly disputeId: Bytes32;
  readonly lo: number;
  readonly hi: number;
  readonly claim: Bytes32;
  readonly exponent: bigint;
  readonly valuesRoot: Bytes32;
}

export async function signPartials(wallet: Wallet, domain: Domain, message: PartialsMessage): Promise<Bytes32> {
  return wallet.signTypedData({
    domain,
    types: {
      Partials: [
        { name: "disputeId", type: "bytes32" },
        { name: "lo", type: "uint32" },
        { name: "hi", type: "uint32" },
        { name: "claim", type: "bytes32" },
        { name: "exponent", type: "int256" },
        { name: "valuesRoot", type: "bytes32" },
      ],
    },
    primaryType: "Partials",
    message,
  });
}

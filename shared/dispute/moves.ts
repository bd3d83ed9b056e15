/** The moves of the game with the arguments that its functions take (contracts/interfaces/IDisputeGame.sol), without the subject. */
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Bytes32 } from "../commitment/bytes32.ts";
import { wordsToBytes } from "../commitment/tile.ts";
import type { DescriptorProof } from "./run.ts";

export type Hex = `0x${string}`;

/** `hash` is the `child`-th descendant of the current node's opening; siblings from it up to the node. */
export interface Choice {
  readonly child: number;
  readonly hash: Bytes32;
  readonly siblings: readonly Bytes32[];
}

export interface DescriptorArgument {
  readonly descriptor: Hex;
  readonly siblings: readonly Bytes32[];
}

/** Roots of the disputed step, proved against the defendant's segmentRoot; zero where the witness needs none. */
export interface StepProof {
  readonly traceRoot: Bytes32;
  readonly traceSiblings: readonly Bytes32[];
  readonly stateRoot: Bytes32;
  readonly stateSiblings: readonly Bytes32[];
}

export interface TileWitness {
  readonly words: Hex;
  readonly siblings: readonly Bytes32[];
}

export interface PartialChoice {
  readonly part: number;
  readonly value: bigint;
  readonly siblings: readonly [Bytes32, Bytes32, Bytes32, Bytes32];
}

export type DefendantMove =
  | {
      readonly kind: "answer";
      readonly segmentRoot: Bytes32;
      readonly siblings: readonly Bytes32[];
      /** The opening of segmentRoot, where it is the defendant's next move: both fit into one transaction. */
      readonly children?: readonly Bytes32[] | undefined;
    }
  | { readonly kind: "open"; readonly children: readonly Bytes32[] }
  | { readonly kind: "openTile"; readonly words: Hex }
  | {
      readonly kind: "claimPartials";
      readonly descriptor: DescriptorArgument;
      readonly exponent: bigint;
      readonly values: readonly bigint[];
    };

export type ChallengerMove =
  | { readonly kind: "enterTree"; readonly digest: boolean }
  | { readonly kind: "choose"; readonly choice: Choice }
  | { readonly kind: "enterStep"; readonly choice: Choice }
  | { readonly kind: "enterTensor"; readonly choice: Choice; readonly descriptor: DescriptorArgument }
  | {
      readonly kind: "demandPartials";
      readonly element: number;
      readonly words: Hex;
      readonly descriptor: DescriptorArgument;
    }
  | {
      readonly kind: "adjudicate";
      readonly element: number;
      readonly words: Hex;
      readonly descriptor: DescriptorArgument;
      readonly step: StepProof;
      readonly witness: readonly TileWitness[];
    }
  | { readonly kind: "choosePartial"; readonly choice: PartialChoice }
  | {
      readonly kind: "adjudicatePartial";
      readonly choice: PartialChoice;
      readonly descriptor: DescriptorArgument;
      readonly step: StepProof;
      readonly witness: readonly TileWitness[];
    }
  | {
      readonly kind: "adjudicateDigest";
      readonly choice: Choice;
      readonly descriptor: DescriptorArgument;
      readonly tileHash: Bytes32;
      readonly siblings: readonly Bytes32[];
    };

export type Move = DefendantMove | ChallengerMove;

export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

export function tileToHex(words: Uint32Array): Hex {
  return toHex(wordsToBytes(words));
}

export function toDescriptorArgument(proof: DescriptorProof): DescriptorArgument {
  return { descriptor: toHex(proof.descriptor), siblings: proof.siblings };
}

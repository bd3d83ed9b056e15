/** The logs of one dispute as the game emits them (contracts/interfaces/IDisputeGame.sol), in the types that viem decodes to. */
import type { Bytes32 } from "../commitment/bytes32.ts";

type Hex = `0x${string}`;

/** What a dispute refers to, as far as a player needs it; the struct that travels in calldata has more. */
export interface DisputedSegment {
  readonly segment: number;
  readonly defendant: Hex;
  readonly startRoot: Bytes32;
  readonly endRoot: Bytes32;
  readonly firstStep: number;
  readonly stepCount: number;
  /** A verifier's revealed digest; zero when the defendant is the solver. */
  readonly digestRoot: Bytes32;
  readonly beacon: Bytes32;
}

export type DisputeEvent =
  | {
      readonly eventName: "DisputeOpened";
      readonly args: { readonly subject: DisputedSegment; readonly challenger: Hex };
    }
  | { readonly eventName: "Answered"; readonly args: { readonly segmentRoot: Bytes32; readonly level: number } }
  | { readonly eventName: "TreeEntered"; readonly args: { readonly level: number; readonly node: Bytes32 } }
  | { readonly eventName: "NodeOpened"; readonly args: { readonly children: readonly Bytes32[] } }
  | {
      readonly eventName: "ChildChosen";
      readonly args: { readonly child: number; readonly node: Bytes32 };
    }
  | {
      readonly eventName: "StepEntered";
      readonly args: { readonly child: number; readonly node: Bytes32; readonly level: number; readonly step: number };
    }
  | {
      readonly eventName: "TensorEntered";
      readonly args: {
        readonly child: number;
        readonly node: Bytes32;
        readonly tensor: number;
        readonly ofState: boolean;
        readonly count: bigint;
      };
    }
  | { readonly eventName: "TileOpened"; readonly args: { readonly words: Hex } }
  | {
      readonly eventName: "PartialsDemanded";
      readonly args: { readonly element: number; readonly word: number; readonly length: number };
    }
  | {
      readonly eventName: "PartialsClaimed";
      readonly args: { readonly exponent: bigint; readonly values: readonly bigint[] };
    }
  | {
      readonly eventName: "PartialChosen";
      readonly args: { readonly part: number; readonly value: bigint; readonly lo: number; readonly hi: number };
    }
  | {
      readonly eventName: "DisputeResolved";
      readonly args: { readonly defendantConvicted: boolean; readonly reason: number };
    };

/** Why a dispute ended; the index is the number on the chain (contracts/interfaces/IDisputable.sol). */
export const REASONS = ["timeout", "opening", "element", "store", "partial", "digest"] as const;
export type Reason = (typeof REASONS)[number];

/** What a row of the cheat matrix is: a lie, where it is told, and how the liar plays. */
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import type { ClaimPartials } from "../../shared/dispute/defendant.ts";
import type { DefendantMove } from "../../shared/dispute/moves.ts";
import type { Position } from "../../shared/dispute/position.ts";
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import type { Walk } from "../../shared/dispute/walk.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { Players } from "../endToEnd/gameOnChain.ts";
import type { Claim, TreeEdits } from "./claim.ts";
import type { Stage } from "./stage.ts";

/** What becomes of one step, from the state before it and what an honest solver computes. */
export type StepLie = (before: readonly Tensor[], honest: TracedStep) => TracedStep | Promise<TracedStep>;

/** A dishonest run. What it leaves out is done honestly. */
export interface Cheat {
  /** The disputed segment. */
  readonly segment: number;
  /** Lies by step, counted over the whole run. */
  readonly steps?: ReadonlyMap<number, StepLie>;
  /** A false checkpoint before the disputed segment. */
  readonly start?: (honest: readonly Tensor[]) => readonly Tensor[];
  /** Another false checkpoint behind the disputed segment. */
  readonly later?: boolean;
  /** Over the steps as they are, without computing on from them. */
  readonly rewrite?: (steps: TracedStep[]) => void;
  readonly edits?: TreeEdits;
  readonly claimPartials?: ClaimPartials;
  /** The move instead of the one that the liar's own numbers give, null for silence; `move` is null where they give none. */
  readonly play?: (walk: Walk, move: DefendantMove | null, claim: Claim) => DefendantMove | null;
  /** Where it makes no move at all. */
  readonly silentAt?: (position: Position) => boolean;
  /** What others do when they see a move of the challenger coming. */
  readonly beforeAttack?: Players["beforeAttack"];
  /** The defendant is a verifier that attests an honest checkpoint; what becomes of its digest's leaves. */
  readonly digest?: (leaves: Bytes32[]) => void;
}

export interface Row {
  /** Kind of lie. */
  readonly lie: string;
  /** Operator family, or the part of the commitment that is lied about. */
  readonly about: string;
  /** Where. With the two above, it tells the row from all others. */
  readonly place: string;
  /** Whether the default run has it. */
  readonly isQuick: boolean;
  cheat(stage: Stage): Cheat;
}

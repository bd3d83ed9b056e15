/** Where two versions of a step first differ, in the order of the trees. */
import { TILE_WORDS } from "../../shared/commitment/tile.ts";
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import type { Tensor } from "../../shared/program/program.ts";

export interface Difference {
  /** Operator, or state tensor when `ofState`. */
  readonly tensor: number;
  readonly ofState: boolean;
  readonly tile: number;
  /** Word of the tile. */
  readonly element: number;
  readonly expected: number;
  readonly claimed: number;
}

/** Null when the steps are equal. */
export function firstDifference(honest: TracedStep, lying: TracedStep): Difference | null {
  return inTensors(honest.outputs, lying.outputs, false) ?? inTensors(honest.state, lying.state, true);
}

function inTensors(honest: readonly Tensor[], lying: readonly Tensor[], ofState: boolean): Difference | null {
  for (const [tensor, { words: claimed }] of lying.entries()) {
    const expected = honest[tensor]!.words;
    // A lie about the padding is longer than the tensor; the words there must be 0.
    for (let at = 0; at < claimed.length; at++) {
      const right = expected[at] ?? 0;
      if (claimed[at] === right) continue;
      const tile = Math.floor(at / TILE_WORDS);
      return { tensor, ofState, tile, element: at % TILE_WORDS, expected: right, claimed: claimed[at]! };
    }
  }
  return null;
}

export function sameState(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  return a.every(({ words }, tensor) => {
    const other = b[tensor]!.words;
    return words.length === other.length && words.every((word, at) => word === other[at]);
  });
}

/**
 * Where a walk stands (docs/protocol.md, section 3). Twin of `contracts/libraries/Walk.sol`; the numbers of the levels are the
 * ones that logs and views carry.
 */
import { tensorDepth } from "../commitment/tensorRoot.ts";
import { openingHeight } from "../commitment/treeProof.ts";

export const Level = {
  none: 0,
  answer: 1,
  fork: 2,
  segment: 3,
  trace: 4,
  state: 5,
  tensor: 6,
  tile: 7,
  partials: 8,
  digest: 9,
} as const;
export type Level = (typeof Level)[keyof typeof Level];

export interface Position {
  readonly level: Level;
  /** Height of the node in the tree being walked; 0 is a leaf. */
  readonly height: number;
  /** Index of the node among the nodes of its height; at Tile and Partials the tile's index. */
  readonly index: number;
  /** Step of the segment, from 0. */
  readonly step: number;
  /** Operator, or state tensor when `ofState`. */
  readonly tensor: number;
  readonly ofState: boolean;
  /** Words of the tensor (Tensor and below). */
  readonly count: number;
  /** Word of the tile whose value was split (Partials). */
  readonly element: number;
  /** Reduced positions [lo, hi) that the node claims a value for (Partials). */
  readonly lo: number;
  readonly hi: number;
}

export const START: Position = {
  level: Level.answer,
  height: 0,
  index: 0,
  step: 0,
  tensor: 0,
  ofState: false,
  count: 0,
  element: 0,
  lo: 0,
  hi: 0,
};

/** The node that choosing `child` of the node's opening leads to. */
export function childOf(position: Position, child: number): { readonly height: number; readonly index: number } {
  const levels = openingHeight(position.height);
  return { height: position.height - levels, index: position.index * 2 ** levels + child };
}

/** The position at the root of a tensor of `count` words; a tensor of one tile is the tile. */
export function enterTensor(position: Position, tensor: number, count: number): Position {
  const height = tensorDepth(count);
  const level = height === 0 ? Level.tile : Level.tensor;
  return { ...position, level, height, index: 0, tensor, count };
}

/** The trees of a dispute's defendant as its openings have revealed them, over one player's own. */
import type { MerkleTree } from "../commitment/tree.ts";
import { ClaimedTree } from "./claimedTree.ts";
import type { Level } from "./position.ts";
import type { Walk } from "./walk.ts";

/** The tree that the walk descends at `level`; each level is walked at most once in a dispute. */
export function claimedTree(walk: Walk, level: Level, own: MerkleTree): ClaimedTree {
  const tree = new ClaimedTree(own);
  for (const { position, children } of walk.openings) {
    if (position.level === level) tree.reveal(position.height, position.index, children);
  }
  return tree;
}

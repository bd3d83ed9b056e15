/**
 * The defendant's tree as far as a dispute has revealed it, laid over the player's own tree of the same shape. Along the path
 * of a walk everything to the left equals the player's own, everything else that a proof needs was opened on the way down;
 * so the two together prove any leaf at or left of the path against the defendant's root.
 */
import type { Bytes32 } from "../commitment/bytes32.ts";
import type { MerkleTree } from "../commitment/tree.ts";
import { hashPair } from "../commitment/treeProof.ts";

export class ClaimedTree {
  readonly #own: MerkleTree;
  readonly #claimed = new Map<string, Bytes32>();

  constructor(own: MerkleTree) {
    this.#own = own;
  }

  get depth(): number {
    return this.#own.depth;
  }

  get leafCount(): number {
    return this.#own.leafCount;
  }

  /** Records an opening: `children` are the descendants of node (height, index), a power of two of them. */
  reveal(height: number, index: number, children: readonly Bytes32[]): void {
    let level = [...children];
    let at = height - Math.log2(children.length);
    let first = index * children.length;
    for (;;) {
      for (const [child, hash] of level.entries()) this.#claimed.set(key(at, first + child), hash);
      if (level.length === 1) return;
      level = Array.from({ length: level.length / 2 }, (_, pair) => hashPair(level[2 * pair]!, level[2 * pair + 1]!));
      at++;
      first /= 2;
    }
  }

  /** The defendant's node where it is known, else the player's own. */
  node(height: number, index: number): Bytes32 {
    return this.#claimed.get(key(height, index)) ?? this.#own.node(height, index);
  }

  /** Siblings, lowest first, from the node at height `from` up to its ancestor at height `to`. */
  proof(index: number, from = 0, to: number = this.depth): Bytes32[] {
    const siblings: Bytes32[] = [];
    for (let height = from, position = index; height < to; height++, position = Math.floor(position / 2)) {
      siblings.push(this.node(height, position % 2 === 0 ? position + 1 : position - 1));
    }
    return siblings;
  }
}

function key(height: number, index: number): string {
  return `${height}:${index}`;
}

/** A Merkle tree that answers every question of a dispute: nodes, openings and proofs (docs/protocol.md, section 1). */
import { TouchstoneError } from "../errors.ts";
import { type Bytes32, concatBytes32, fromBytes32, toBytes32 } from "./bytes32.ts";
import { keccak256Pairs } from "./keccak.ts";
import { depthOf, openingHeight, zeroHash } from "./treeProof.ts";

export class TreePositionError extends TouchstoneError {
  readonly code = "TREE_POSITION";
  constructor(height: number, index: number, depth: number) {
    super(`No node at height ${height}, index ${index}: the tree has depth ${depth}.`);
  }
}

/** The next level up. An odd last node is paired with the missing subtree of its height. */
function parents(level: Uint8Array, height: number): Uint8Array {
  if (level.length % 64 === 0) return keccak256Pairs(level);
  const padded = new Uint8Array(level.length + 32);
  padded.set(level);
  padded.set(fromBytes32(zeroHash(height)), level.length);
  return keccak256Pairs(padded);
}

/**
 * The 32 bytes of the root over `leaves` (32 bytes each), without keeping the tree.
 * @throws EmptyTreeError when there is none.
 */
export function rootBytes(leaves: Uint8Array): Uint8Array {
  const depth = depthOf(leaves.length / 32);
  let level = leaves;
  for (let height = 0; height < depth; height++) level = parents(level, height);
  return level;
}

/** Bytes of nodes that are hashed in one piece. */
const PIECE = 2 ** 17;

/** As `rootBytes`, in pieces (`turns.ts`) that say what they cost in words. */
export function* rootInPieces(leaves: Uint8Array): Generator<number, Uint8Array> {
  const depth = depthOf(leaves.length / 32);
  let level = leaves;
  for (let height = 0; height < depth; height++) {
    if (level.length <= PIECE) {
      level = parents(level, height);
      continue;
    }
    const next = new Uint8Array(Math.ceil(level.length / 64) * 32);
    for (let at = 0; at < level.length; at += PIECE) {
      const piece = parents(level.subarray(at, at + PIECE), height);
      next.set(piece, at / 2);
      yield PIECE / 4;
    }
    level = next;
  }
  return level;
}

export class MerkleTree {
  readonly leafCount: number;
  readonly depth: number;
  /** Height h: the nodes that are not wholly missing, 32 bytes each. */
  readonly #levels: Uint8Array[];

  /**
   * @param leaves 32 bytes each, one after the other; kept, so do not change them afterwards.
   * @throws EmptyTreeError when there is none.
   */
  constructor(leaves: Uint8Array) {
    this.leafCount = leaves.length / 32;
    this.depth = depthOf(this.leafCount);
    this.#levels = [leaves];
    for (let height = 0; height < this.depth; height++) this.#levels.push(parents(this.#levels[height]!, height));
  }

  static ofHashes(leaves: readonly Bytes32[]): MerkleTree {
    return new MerkleTree(concatBytes32(leaves));
  }

  get root(): Bytes32 {
    return this.node(this.depth, 0);
  }

  /**
   * The node at `height` above the leaves, zeroHash(height) in the padding.
   * @throws TreePositionError outside the tree.
   */
  node(height: number, index: number): Bytes32 {
    this.#require(height, index);
    const level = this.#levels[height]!;
    return index * 32 < level.length ? toBytes32(level, index * 32) : zeroHash(height);
  }

  /** The 2^openingHeight(height) descendants of a node that open it, from left to right. */
  opening(height: number, index: number): Bytes32[] {
    this.#require(height, index);
    const down = openingHeight(height);
    return Array.from({ length: 2 ** down }, (_, child) => this.node(height - down, index * 2 ** down + child));
  }

  /** Siblings, lowest first, from the node at height `from` up to its ancestor at height `to`; by default leaf to root. */
  proof(index: number, from = 0, to: number = this.depth): Bytes32[] {
    this.#require(from, index);
    if (to < from || to > this.depth) throw new TreePositionError(to, 0, this.depth);
    const siblings: Bytes32[] = [];
    for (let height = from, position = index; height < to; height++, position = Math.floor(position / 2)) {
      siblings.push(this.node(height, position % 2 === 0 ? position + 1 : position - 1));
    }
    return siblings;
  }

  #require(height: number, index: number): void {
    const valid = Number.isInteger(height) && height >= 0 && height <= this.depth;
    if (!valid || !Number.isInteger(index) || index < 0 || index >= 2 ** (this.depth - height)) {
      throw new TreePositionError(height, index, this.depth);
    }
  }
}

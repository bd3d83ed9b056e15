/**
 * Positions and proofs in the protocol's trees (docs/protocol.md, section 1): ordered pairs, missing subtrees are zero,
 * a proof has exactly as many siblings as the tree is deep. Twin of `contracts/libraries/TreeProof.sol`.
 */
import { TouchstoneError } from "../errors.ts";
import { type Bytes32, fromBytes32, toBytes32, ZERO_BYTES32 } from "./bytes32.ts";
import { keccak256 } from "./keccak.ts";

/** Most levels that an opening goes down: SPAN in `contracts/libraries/Walk.sol`. */
export const OPENING_HEIGHT = 5;

export class EmptyTreeError extends TouchstoneError {
  readonly code = "EMPTY_TREE";
  constructor() {
    super("A tree needs at least one leaf.");
  }
}

/** keccak256(left ‖ right): the parent of two nodes. */
export function hashPair(left: Bytes32, right: Bytes32): Bytes32 {
  const pair = new Uint8Array(64);
  pair.set(fromBytes32(left));
  pair.set(fromBytes32(right), 32);
  return toBytes32(keccak256(pair));
}

const zeroHashes: Bytes32[] = [ZERO_BYTES32];

/** Root of a missing subtree of height `height`. */
export function zeroHash(height: number): Bytes32 {
  while (zeroHashes.length <= height) {
    const below = zeroHashes.at(-1)!;
    zeroHashes.push(hashPair(below, below));
  }
  return zeroHashes[height]!;
}

/**
 * Depth of a tree of `leafCount` leaves: ceil(log2), 0 for one leaf.
 * @throws EmptyTreeError for less than one.
 */
export function depthOf(leafCount: number): number {
  if (!(leafCount >= 1)) throw new EmptyTreeError();
  let depth = 0;
  while (2 ** depth < leafCount) depth++;
  return depth;
}

/** The node that `leaf` at `index` and its siblings, lowest first, fold to. Bit h of the index is the side at height h. */
export function foldProof(leaf: Bytes32, index: number | bigint, siblings: readonly Bytes32[]): Bytes32 {
  let node = leaf;
  let position = BigInt(index);
  for (const sibling of siblings) {
    node = (position & 1n) === 0n ? hashPair(node, sibling) : hashPair(sibling, node);
    position >>= 1n;
  }
  return node;
}

/** Whether `leaf` stands at `index` of the tree of depth `depth` with this root. The proof's length must be the depth. */
export function verifyProof(
  root: Bytes32,
  leaf: Bytes32,
  index: number | bigint,
  siblings: readonly Bytes32[],
  depth: number,
): boolean {
  const position = BigInt(index);
  if (siblings.length !== depth || position < 0n || position >> BigInt(depth) !== 0n) return false;
  return foldProof(leaf, position, siblings) === root;
}

/** The node that an opening's children (a power of two of them) fold to. */
export function foldOpening(children: readonly Bytes32[]): Bytes32 {
  if (children.length === 0) throw new EmptyTreeError();
  let level = [...children];
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, pair) => hashPair(level[2 * pair]!, level[2 * pair + 1]!));
  }
  return level[0]!;
}

/** Levels that the opening of a node of this height goes down: few rounds as reach the leaves, of even length. */
export function openingHeight(height: number): number {
  return Math.ceil(height / Math.max(1, Math.ceil(height / OPENING_HEIGHT)));
}

/** Position of an inner tree's leaf in the tree of trees: `(outer << innerDepth) | inner`. */
export function nestedIndex(outer: number, inner: number, innerDepth: number): bigint {
  return (BigInt(outer) << BigInt(innerDepth)) | BigInt(inner);
}

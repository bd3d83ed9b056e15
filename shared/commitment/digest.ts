/**
 * A verifier's proof of replay: for each step of the segment, the hash of one tile of that step's state, at a position that
 * nobody knows before the draw (docs/protocol.md, section 6).
 */
import { type Bytes32, concatBytes32, integerToBytes32, toBytes32 } from "./bytes32.ts";
import { keccak256 } from "./keccak.ts";
import { tileBytes, tileCount, tileHash } from "./tile.ts";
import { MerkleTree } from "./tree.ts";

export interface DigestPosition {
  /** State tensor, in program order. */
  readonly tensor: number;
  readonly tile: number;
}

/**
 * Where the digest of step `step` of the segment (from 0) looks.
 * @param wordCounts words of each state tensor, in program order.
 */
export function digestPosition(
  beacon: Bytes32,
  verifier: `0x${string}`,
  step: number,
  wordCounts: readonly number[],
): DigestPosition {
  const encoded = concatBytes32([beacon, integerToBytes32(BigInt(verifier)), integerToBytes32(BigInt(step))]);
  const x = BigInt(toBytes32(keccak256(encoded)));
  const tensor = Number(x % BigInt(wordCounts.length));
  return { tensor, tile: Number((x >> 64n) % BigInt(tileCount(wordCounts[tensor]!))) };
}

/** The digest's leaf for one step: the hash of the tile at its position in the state after that step. */
export function digestLeaf(position: DigestPosition, state: readonly { readonly words: Uint32Array }[]): Bytes32 {
  return tileHash(tileBytes(state[position.tensor]!.words, position.tile));
}

/** The tree over the digest leaves of the segment's steps; its root is the `digestRoot`. */
export function digestTree(leaves: readonly Bytes32[]): MerkleTree {
  return MerkleTree.ofHashes(leaves);
}

/** keccak256(abi.encode(taskId, segment, verifier, salt, digestRoot)): what a verifier commits before it reveals. */
export function digestSeal(
  taskId: Bytes32,
  segment: number,
  verifier: `0x${string}`,
  salt: Bytes32,
  digestRoot: Bytes32,
): Bytes32 {
  const encoded = [taskId, integerToBytes32(BigInt(segment)), integerToBytes32(BigInt(verifier)), salt, digestRoot];
  return toBytes32(keccak256(concatBytes32(encoded)));
}

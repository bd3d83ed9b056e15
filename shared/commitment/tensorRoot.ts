/** The commitment to one tensor: its tiles (docs/protocol.md, section 1). */
import { type Bytes32, toBytes32 } from "./bytes32.ts";
import { TILE_WORDS, tileCount, tileHashes } from "./tile.ts";
import { MerkleTree, rootBytes, rootInPieces } from "./tree.ts";
import { depthOf } from "./treeProof.ts";

/** Depth of the tree over a tensor of `words` words. */
export function tensorDepth(words: number): number {
  return depthOf(tileCount(words));
}

export function tensorRoot(words: Uint32Array): Bytes32 {
  return toBytes32(rootBytes(tileHashes(words)));
}

export function tensorTree(words: Uint32Array): MerkleTree {
  return new MerkleTree(tileHashes(words));
}

/** The roots of several tensors, 32 bytes each, one after the other. */
export function tensorRoots(tensors: readonly Uint32Array[]): Uint8Array {
  const roots = new Uint8Array(tensors.length * 32);
  for (const [tensor, words] of tensors.entries()) roots.set(rootBytes(tileHashes(words)), tensor * 32);
  return roots;
}

/** Words of a tensor that are hashed in one piece: whole tiles. */
const PIECE = 2 ** 10 * TILE_WORDS;

/** As `tensorRoots`, in pieces (`turns.ts`) that say what they cost in words. */
export function* tensorRootsInPieces(tensors: readonly Uint32Array[]): Generator<number, Uint8Array> {
  const roots = new Uint8Array(tensors.length * 32);
  for (const [tensor, words] of tensors.entries()) {
    let hashes: Uint8Array;
    if (words.length <= PIECE) hashes = tileHashes(words);
    else {
      hashes = new Uint8Array(tileCount(words.length) * 32);
      for (let at = 0; at < words.length; at += PIECE) {
        hashes.set(tileHashes(words.subarray(at, at + PIECE)), (at / TILE_WORDS) * 32);
        yield PIECE;
      }
    }
    roots.set(yield* rootInPieces(hashes), tensor * 32);
    yield Math.min(words.length, PIECE);
  }
  return roots;
}

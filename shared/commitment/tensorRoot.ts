/** The commitment to one tensor: its tiles (docs/protocol.md, section 1). */
import { type Bytes32, toBytes32 } from "./bytes32.ts";
import { tileCount, tileHashes } from "./tile.ts";
import { MerkleTree, rootBytes } from "./tree.ts";
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

/** The commitment to descriptors (`operatorsRoot`, `statesRoot`): sha256 of each one's bytes. */
import { sha256 } from "./sha256.ts";
import { MerkleTree } from "./tree.ts";

/** @throws EmptyTreeError when there is none. */
export function descriptorsTree(descriptors: readonly Uint8Array[]): MerkleTree {
  const leaves = new Uint8Array(descriptors.length * 32);
  for (const [position, descriptor] of descriptors.entries()) leaves.set(sha256(descriptor), position * 32);
  return new MerkleTree(leaves);
}

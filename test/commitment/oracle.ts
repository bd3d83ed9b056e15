/** The protocol's trees by other people's code: merkletreejs over leaves padded with zeros, hashes by node:crypto and viem. */
import { createHash } from "node:crypto";
import { MerkleTree as MerkleTreeJs } from "merkletreejs";
import { keccak256 } from "viem";

export function oracleTree(leaves: readonly Uint8Array[]): MerkleTreeJs {
  const padded = leaves.map((leaf) => Buffer.from(leaf));
  while ((padded.length & (padded.length - 1)) !== 0) padded.push(Buffer.alloc(32));
  return new MerkleTreeJs(padded, (data: Buffer) => Buffer.from(keccak256(data).slice(2), "hex"));
}

export function oracleRoot(leaves: readonly Uint8Array[]): `0x${string}` {
  return `0x${oracleTree(leaves).getRoot().toString("hex")}`;
}

export function oracleTileHashes(words: Uint32Array): Uint8Array[] {
  const padded = Buffer.alloc(Math.max(1, Math.ceil(words.length / 64)) * 256);
  for (const [position, word] of words.entries()) padded.writeUInt32LE(word, position * 4);
  return Array.from({ length: padded.length / 256 }, (_, tile) =>
    createHash("sha256")
      .update(padded.subarray(tile * 256, (tile + 1) * 256))
      .digest(),
  );
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { keccak256, keccak256Pairs, portableKeccak256Pairs } from "../../shared/commitment/keccak.ts";
import { createKeccakPairs } from "../../shared/commitment/keccakPairs.ts";
import { Random } from "../helpers/random.ts";

test("pairs hashed together are hashed as alone, around the size of a call", async () => {
  const random = new Random(31);
  const hashPairs = await createKeccakPairs();
  for (const count of [0, 1, 2, 3, 100, 2047, 2048, 2049, 4097]) {
    const nodes = Uint8Array.from({ length: count * 64 }, () => random.below(256));
    const digests = hashPairs(nodes);
    assert.deepEqual(digests, portableKeccak256Pairs(nodes), `${count} pairs`);
    assert.deepEqual(keccak256Pairs(nodes), digests);
  }
});

test("every bit of a pair matters, and a part of a larger buffer is read from its start", async () => {
  const hashPairs = await createKeccakPairs();
  const seen = new Set<string>();
  for (let bit = 0; bit < 512; bit++) {
    const larger = new Uint8Array(64 + 5);
    const nodes = larger.subarray(5);
    nodes[bit >> 3] = 1 << (bit % 8);
    const digest = hashPairs(nodes);
    assert.deepEqual(digest, keccak256(nodes));
    seen.add(Buffer.from(digest).toString("hex"));
  }
  assert.equal(seen.size, 512);
});

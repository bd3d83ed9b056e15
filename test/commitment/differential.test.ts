import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { bytesToHex } from "viem";
import { concatBytes32, toBytes32 } from "../../shared/commitment/bytes32.ts";
import { partialsTree } from "../../shared/commitment/partialsTree.ts";
import { tensorDepth } from "../../shared/commitment/tensorRoot.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { tileBytes, tileHash } from "../../shared/commitment/tile.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import { depthOf, verifyProof, zeroHash } from "../../shared/commitment/treeProof.ts";
import { partsOf } from "../../shared/dispute/parts.ts";
import { Random } from "../helpers/random.ts";
import { randomBytes, randomWords } from "../helpers/randomBytes.ts";

const { viem } = await network.connect();

describe("shared/commitment and the Solidity libraries", () => {
  let harness: Awaited<ReturnType<typeof viem.deployContract<"CommitmentHarness">>>;
  before(async () => {
    harness = await viem.deployContract("CommitmentHarness");
  });

  it("agree on depths", async () => {
    for (const count of [1, 2, 3, 4, 5, 63, 64, 65, 4096, 4097, 2 ** 32 - 1, 2 ** 32]) {
      assert.equal(Number(await harness.read.depth([BigInt(count)])), depthOf(count));
      assert.equal(Number(await harness.read.tensorDepth([BigInt(count)])), tensorDepth(count));
    }
    assert.equal(Number(await harness.read.tensorDepth([0n])), tensorDepth(0));
  });

  it("agree on the padding", async () => {
    for (let height = 0; height <= 64; height += 8) {
      assert.equal(await harness.read.zero([BigInt(height)]), zeroHash(height));
    }
  });

  it("agree on tiles", async () => {
    const words = randomWords(new Random(1), 100);
    for (const tile of [0, 1]) {
      const bytes = tileBytes(words, tile);
      assert.equal(await harness.read.tileHash([bytesToHex(bytes)]), tileHash(bytes));
      for (const position of [0, 35, 36, 63]) {
        const word = await harness.read.tileWord([bytesToHex(bytes), BigInt(position)]);
        assert.equal(word, words[tile * 64 + position] ?? 0);
      }
    }
  });

  it("agree on roots and openings", async () => {
    const random = new Random(2);
    for (const leafCount of [1, 2, 8, 16]) {
      const tree = new MerkleTree(randomBytes(random, leafCount * 32));
      assert.equal(await harness.read.rootOf([tree.opening(tree.depth, 0)]), tree.root);
    }
  });

  it("split a range alike, as docs/protocol.md says", async () => {
    const random = new Random(4);
    const ranges = [
      [0, 1],
      [0, 15],
      [0, 16],
      [7, 24],
      [5, 70],
      [0, 2 ** 32 - 1],
    ];
    for (let round = 0; round < 20; round++) {
      const lo = random.below(1000);
      ranges.push([lo, lo + 1 + random.below(5000)]);
    }
    for (const [lo, hi] of ranges as [number, number][]) {
      const size = Math.ceil((hi - lo) / 16);
      for (const [i, part] of partsOf({ lo, hi }).entries()) {
        assert.deepEqual(part, { lo: Math.min(lo + i * size, hi), hi: Math.min(lo + (i + 1) * size, hi) });
        const range = await harness.read.partRange([BigInt(lo), BigInt(hi), BigInt(i)]);
        assert.deepEqual(range.map(Number), [part.lo, part.hi]);
      }
    }
  });

  it("agree on the root of a claim of partial results", async () => {
    const random = new Random(5);
    const values = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 0n : BigInt(random.below(2 ** 31)) - 2n ** 30n));
    values[3] = -(2n ** 255n);
    type Values = Parameters<typeof harness.read.partialsRoot>[0][0];
    assert.equal(await harness.read.partialsRoot([values as unknown as Values]), partialsTree(values).root);
  });

  it("accept and refuse the same proofs", async () => {
    const random = new Random(3);
    const tree = new TensorsTree([1, 64, 65, 300, 1000].map((count) => randomWords(random, count)));
    for (let round = 0; round < 120; round++) {
      const p = random.below(5);
      const inner = tree.tensor(p);
      const tile = random.below(inner.leafCount);
      const proof = tree.tileProof(p, tile);
      let { root } = tree;
      let leaf = tileHash(proof.words);
      let { index } = proof;
      let siblings = [...proof.siblings];
      let depth = siblings.length;
      const damage = random.below(8);
      if (damage === 1) root = toBytes32(randomBytes(random, 32));
      if (damage === 2) leaf = toBytes32(randomBytes(random, 32));
      if (damage === 3) index ^= 1n << BigInt(random.below(depth + 2));
      if (damage === 4) siblings = siblings.slice(1);
      if (damage === 5) siblings.push(zeroHash(0));
      if (damage === 6) depth += random.below(2) === 0 ? 1 : -1;
      if (damage === 7) {
        const bytes = concatBytes32(siblings);
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
        siblings = siblings.map((_, height) => toBytes32(bytes, height * 32));
      }
      const accepted = verifyProof(root, leaf, index, siblings, depth);
      assert.equal(accepted, damage === 0, `damage ${damage}`);
      const call = harness.read.verify([root, leaf, index, siblings, BigInt(depth)]);
      if (accepted) await call;
      else await assert.rejects(call, /TreeProof(Length|Index|Mismatch)/);
    }
  });
});

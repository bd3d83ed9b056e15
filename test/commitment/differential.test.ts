import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { bytesToHex } from "viem";
import { concatBytes32, toBytes32 } from "../../shared/commitment/bytes32.ts";
import { tensorDepth } from "../../shared/commitment/tensorRoot.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { tileBytes, tileHash } from "../../shared/commitment/tile.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import { depthOf, verifyProof, zeroHash } from "../../shared/commitment/treeProof.ts";
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

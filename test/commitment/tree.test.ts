import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBytes32, toBytes32 } from "../../shared/commitment/bytes32.ts";
import { MerkleTree, rootBytes, TreePositionError } from "../../shared/commitment/tree.ts";
import {
  depthOf,
  EmptyTreeError,
  foldOpening,
  foldProof,
  openingHeight,
  verifyProof,
  zeroHash,
} from "../../shared/commitment/treeProof.ts";
import { Random } from "../helpers/random.ts";
import { randomBytes } from "../helpers/randomBytes.ts";
import { oracleRoot, oracleTree } from "./oracle.ts";

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 255, 257];

function randomTree(leafCount: number) {
  const leaves = randomBytes(new Random(leafCount), leafCount * 32);
  const list = Array.from({ length: leafCount }, (_, leaf) => leaves.subarray(leaf * 32, leaf * 32 + 32));
  return { tree: new MerkleTree(leaves), leaves, list };
}

describe("MerkleTree", () => {
  for (const leafCount of SIZES) {
    it(`has the oracle's root and proofs over ${leafCount} leaves`, () => {
      const { tree, leaves, list } = randomTree(leafCount);
      const oracle = oracleTree(list);
      assert.equal(tree.depth, Math.ceil(Math.log2(leafCount)));
      assert.equal(tree.root, oracleRoot(list));
      assert.equal(toBytes32(rootBytes(leaves)), tree.root);
      assert.equal(MerkleTree.ofHashes(list.map((leaf) => toBytes32(leaf))).root, tree.root);
      for (const [index, leaf] of list.entries()) {
        const expected = oracle.getProof(Buffer.from(leaf), index);
        assert.deepEqual(
          tree.proof(index),
          expected.map((sibling) => `0x${sibling.data.toString("hex")}`),
        );
        for (const [height, sibling] of expected.entries()) {
          assert.equal(sibling.position, (index >> height) & 1 ? "left" : "right");
        }
      }
    });

    it(`opens every node of ${leafCount} leaves into descendants that fold to it`, () => {
      const { tree } = randomTree(leafCount);
      for (let height = 0; height <= tree.depth; height++) {
        for (let index = 0; index < 2 ** (tree.depth - height); index++) {
          const opening = tree.opening(height, index);
          assert.equal(opening.length, 2 ** openingHeight(height));
          assert.equal(foldOpening(opening), tree.node(height, index));
        }
      }
    });

    it(`proves every node of ${leafCount} leaves to every ancestor`, () => {
      const { tree } = randomTree(leafCount);
      for (let from = 0; from <= tree.depth; from++) {
        for (let index = 0; index < 2 ** (tree.depth - from); index++) {
          for (let to = from; to <= Math.min(tree.depth, from + 4); to++) {
            const ancestor = tree.node(to, Math.floor(index / 2 ** (to - from)));
            const local = index % 2 ** (to - from);
            const siblings = tree.proof(index, from, to);
            assert.ok(verifyProof(ancestor, tree.node(from, index), local, siblings, to - from));
          }
        }
      }
    });
  }

  it("has zero subtrees in the padding", () => {
    const { tree } = randomTree(17);
    assert.equal(tree.node(0, 17), zeroHash(0));
    assert.equal(tree.node(4, 1), foldOpening([tree.node(0, 16), ...new Array(15).fill(zeroHash(0))]));
    assert.equal(tree.node(3, 3), zeroHash(3));
  });

  it("refuses to be empty", () => {
    assert.throws(() => new MerkleTree(new Uint8Array(0)), EmptyTreeError);
    assert.throws(() => rootBytes(new Uint8Array(0)), EmptyTreeError);
    assert.throws(() => depthOf(0), EmptyTreeError);
    assert.throws(() => depthOf(Number.NaN), EmptyTreeError);
    assert.throws(() => foldOpening([]), EmptyTreeError);
  });

  it("refuses positions outside itself", () => {
    const { tree } = randomTree(5);
    for (const [height, index] of [
      [-1, 0],
      [4, 0],
      [0, 8],
      [0, -1],
      [3, 1],
      [0.5, 0],
      [0, 0.5],
      [Number.NaN, 0],
    ] as const) {
      assert.throws(() => tree.node(height, index), TreePositionError, `${height}, ${index}`);
      assert.throws(() => tree.opening(height, index), TreePositionError);
      assert.throws(() => tree.proof(index, height), TreePositionError);
    }
    assert.throws(() => tree.proof(0, 2, 1), TreePositionError);
    assert.throws(() => tree.proof(0, 0, 4), TreePositionError);
  });
});

describe("verifyProof", () => {
  const { tree, list } = randomTree(11);
  const flipped = (word: `0x${string}`, byte: number) => {
    const bytes = fromBytes32(word);
    bytes[byte]! ^= 1 << (byte % 8);
    return toBytes32(bytes);
  };

  it("refuses every flipped byte of the leaf, the root and the siblings", () => {
    for (const index of list.keys()) {
      const leaf = tree.node(0, index);
      const siblings = tree.proof(index);
      assert.ok(verifyProof(tree.root, leaf, index, siblings, tree.depth));
      for (let byte = 0; byte < 32; byte++) {
        assert.ok(!verifyProof(tree.root, flipped(leaf, byte), index, siblings, tree.depth));
        assert.ok(!verifyProof(flipped(tree.root, byte), leaf, index, siblings, tree.depth));
        for (let height = 0; height < tree.depth; height++) {
          const wrong = siblings.with(height, flipped(siblings[height]!, byte));
          assert.ok(!verifyProof(tree.root, leaf, index, wrong, tree.depth));
        }
      }
    }
  });

  it("refuses every other index, and indices outside the tree that fold alike", () => {
    const siblings = tree.proof(6);
    const leaf = tree.node(0, 6);
    for (let index = -1; index < 64; index++) {
      assert.equal(verifyProof(tree.root, leaf, index, siblings, tree.depth), index === 6, `index ${index}`);
    }
    assert.equal(foldProof(leaf, 6 + 2 ** tree.depth, siblings), tree.root);
    assert.ok(!verifyProof(tree.root, leaf, 6n + (1n << 200n), siblings, tree.depth));
  });

  it("refuses every other length, even where the fold would agree", () => {
    const siblings = tree.proof(0);
    assert.ok(!verifyProof(tree.root, tree.node(0, 0), 0, siblings.slice(1), tree.depth));
    assert.ok(!verifyProof(tree.root, tree.node(0, 0), 0, [...siblings, zeroHash(0)], tree.depth));
    // An inner node and the rest of its proof do fold to the root.
    assert.equal(foldProof(tree.node(1, 0), 0, siblings.slice(1)), tree.root);
    assert.ok(!verifyProof(tree.root, tree.node(1, 0), 0, siblings.slice(1), tree.depth));
    assert.ok(verifyProof(tree.root, tree.root, 0, [], 0));
  });
});

describe("depthOf and openingHeight", () => {
  it("are ceil(log2), and four or all that is left up to five", () => {
    for (let count = 1; count <= 1025; count++) assert.equal(depthOf(count), Math.ceil(Math.log2(count)));
    for (let depth = 1; depth <= 40; depth++) {
      assert.equal(depthOf(2 ** depth), depth);
      assert.equal(depthOf(2 ** depth + 1), depth + 1);
    }
    assert.deepEqual([0, 1, 5, 6, 7, 8, 11, 14, 16, 17, 30].map(openingHeight), [0, 1, 5, 3, 4, 4, 4, 5, 4, 5, 5]);
  });
});

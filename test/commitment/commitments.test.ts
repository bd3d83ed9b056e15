import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { encodeAbiParameters, keccak256 as viemKeccak } from "viem";
import { integerToBytes32, toBytes32, ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { constantsRoot, constantsTree } from "../../shared/commitment/constantsRoot.ts";
import { DatasetShapeError, datasetTree } from "../../shared/commitment/datasetTree.ts";
import { descriptorsTree } from "../../shared/commitment/descriptorsTree.ts";
import { digestLeaf, digestPosition, digestSeal, digestTree } from "../../shared/commitment/digest.ts";
import { keccak256 } from "../../shared/commitment/keccak.ts";
import { PartialsCountError, partialsTree } from "../../shared/commitment/partialsTree.ts";
import { segmentDepth, segmentTree } from "../../shared/commitment/segmentTree.ts";
import { stateRoot, stateTree } from "../../shared/commitment/stateRoot.ts";
import { tensorRoot } from "../../shared/commitment/tensorRoot.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { TileRangeError, tileBytes, tileHash } from "../../shared/commitment/tile.ts";
import { traceTree } from "../../shared/commitment/traceTree.ts";
import { MerkleTree, TreePositionError } from "../../shared/commitment/tree.ts";
import { EmptyTreeError, verifyProof, zeroHash } from "../../shared/commitment/treeProof.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { Random } from "../helpers/random.ts";
import { randomWords } from "../helpers/randomBytes.ts";

// Written by test/vectors/commitment.py, a second implementation.
const vectors = JSON.parse(readFileSync(new URL("../vectors/commitment.json", import.meta.url), "utf8"));

const vectorWords = (count: number, salt: number) =>
  Uint32Array.from({ length: count }, (_, i) => Number((BigInt(i) * 2654435761n + BigInt(salt) * 40503n) % 2n ** 32n));
const tensor = (words: Uint32Array) => ({ dtype: Dtype.float32, shape: [words.length], words });

describe("the vectors", () => {
  it("keccak256", () => {
    for (const [input, digest] of vectors.keccak) assert.equal(toBytes32(keccak256(Buffer.from(input, "hex"))), digest);
  });
  it("zero subtrees", () => {
    for (const [height, hash] of vectors.zero.entries()) assert.equal(zeroHash(height), hash);
  });
  it("tensor roots", () => {
    for (const { count, salt, root } of vectors.tensors) assert.equal(tensorRoot(vectorWords(count, salt)), root);
  });
  it("state, trace and constants roots", async () => {
    for (const { counts, root } of vectors.states) {
      const tensors = counts.map((count: number, salt: number) => tensor(vectorWords(count, salt)));
      assert.equal(stateRoot(tensors), root);
      assert.equal(stateTree(tensors).root, root);
      assert.equal((await traceTree(tensors)).root, root);
      assert.equal(constantsRoot(tensors), root);
      assert.equal(constantsTree(tensors).root, root);
    }
  });
  it("segment roots", () => {
    for (const { steps, root } of vectors.segments) {
      const hash = (leaf: number) => viemKeccak(integerToBytes32(BigInt(leaf)));
      const roots = Array.from({ length: steps }, (_, i) => ({ traceRoot: hash(2 * i), stateRoot: hash(2 * i + 1) }));
      assert.equal(segmentTree(roots).root, root);
      assert.equal(segmentTree(roots).depth, segmentDepth(steps));
    }
  });
  it("dataset roots", () => {
    for (const { samples, sampleWords, root } of vectors.datasets) {
      assert.equal(datasetTree(vectorWords(samples * sampleWords, 9), sampleWords).root, root);
    }
  });
  it("descriptor roots", () => {
    const descriptors = [1, 2, 3].map((length) => Uint8Array.from({ length }, (_, i) => i));
    assert.equal(descriptorsTree(descriptors).root, vectors.descriptors);
  });
  it("partial results", () => {
    assert.equal(partialsTree(vectors.partials.values.map(BigInt)).root, vectors.partials.root);
  });
  it("digest positions", () => {
    const { beacon, verifier, counts, positions } = vectors.digest;
    for (const [step, [p, tile]] of positions.entries()) {
      assert.deepEqual(digestPosition(beacon, verifier, step, counts), { tensor: p, tile });
    }
  });
  it("seals", () => {
    const { taskId, segment, salt, digestRoot, seal } = vectors.seal;
    assert.equal(digestSeal(taskId, segment, vectors.digest.verifier, salt, digestRoot), seal);
  });
});

describe("TensorsTree", () => {
  const random = new Random(11);
  const tensors = [1, 64, 65, 1000, 4096, 0].map((count) => randomWords(random, count));
  const tree = new TensorsTree(tensors);

  it("has the tensor roots as leaves", () => {
    assert.deepEqual(tree.tensorRoots, tensors.map(tensorRoot));
    assert.equal(tree.root, MerkleTree.ofHashes(tensors.map(tensorRoot)).root);
  });

  it("proves every tile to the outer root in one fold", () => {
    for (const [p, words] of tensors.entries()) {
      const inner = tree.tensor(p);
      for (let tile = 0; tile < inner.leafCount; tile++) {
        const proof = tree.tileProof(p, tile);
        const depth = inner.depth + tree.outer.depth;
        assert.deepEqual(proof.words, tileBytes(words, tile));
        assert.equal(proof.index, BigInt(p) * 2n ** BigInt(inner.depth) + BigInt(tile));
        assert.ok(verifyProof(tree.root, tileHash(proof.words), proof.index, proof.siblings, depth));
        const flipped = proof.words.slice();
        flipped[random.below(256)]! ^= 1 << random.below(8);
        assert.ok(!verifyProof(tree.root, tileHash(flipped), proof.index, proof.siblings, depth));
        assert.ok(!verifyProof(tree.root, tileHash(proof.words), proof.index + 1n, proof.siblings, depth));
      }
    }
  });

  it("refuses tensors and tiles that do not exist", () => {
    assert.throws(() => tree.tensor(6), TreePositionError);
    assert.throws(() => tree.tileProof(-1, 0), TreePositionError);
    assert.throws(() => tree.tileProof(2, 2), TileRangeError);
    assert.throws(() => tree.tileProof(2, 0.5), TileRangeError);
    assert.throws(() => new TensorsTree([]), EmptyTreeError);
  });
});

describe("commitments at their edges", () => {
  it("no constants are bytes32(0)", () => {
    assert.equal(constantsRoot([]), ZERO_BYTES32);
    assert.throws(() => constantsTree([]), EmptyTreeError);
    assert.throws(() => stateRoot([]), EmptyTreeError);
    assert.throws(() => segmentTree([]), EmptyTreeError);
    assert.throws(() => descriptorsTree([]), EmptyTreeError);
  });

  it("a dataset is a whole number of samples", () => {
    for (const [words, sampleWords] of [
      [10, 3],
      [0, 3],
      [10, 0],
      [10, -5],
      [10, Number.NaN],
    ] as const) {
      assert.throws(() => datasetTree(new Uint32Array(words), sampleWords), DatasetShapeError);
    }
  });

  it("a claim of partial results has 16 values", () => {
    assert.throws(() => partialsTree(new Array(15).fill(0n)), PartialsCountError);
    assert.throws(() => partialsTree(new Array(17).fill(0n)), PartialsCountError);
    assert.equal(partialsTree(new Array(16).fill(0n)).root, zeroHash(4));
  });
});

describe("the digest", () => {
  it("places tiles as abi.encode(beacon, verifier, step) hashes", () => {
    const random = new Random(12);
    for (let round = 0; round < 50; round++) {
      const beacon = viemKeccak(integerToBytes32(BigInt(random.word())));
      const verifier = `0x${viemKeccak(beacon).slice(26)}` as const;
      const step = random.below(100);
      const counts = Array.from({ length: random.between(1, 9) }, () => random.between(1, 10_000));
      const parameters = [{ type: "bytes32" }, { type: "address" }, { type: "uint256" }] as const;
      const x = BigInt(viemKeccak(encodeAbiParameters(parameters, [beacon, verifier, BigInt(step)])));
      const p = Number(x % BigInt(counts.length));
      const tile = Number((x >> 64n) % BigInt(Math.ceil(counts[p]! / 64)));
      assert.deepEqual(digestPosition(beacon, verifier, step, counts), { tensor: p, tile });
    }
  });

  it("takes the tile's hash from the state after the step", () => {
    const state = [tensor(vectorWords(10, 0)), tensor(vectorWords(200, 1))];
    const leaf = digestLeaf({ tensor: 1, tile: 3 }, state);
    assert.equal(leaf, stateTree(state).tensor(1).node(0, 3));
    assert.equal(digestTree([leaf, ZERO_BYTES32, leaf]).root, MerkleTree.ofHashes([leaf, ZERO_BYTES32, leaf]).root);
  });
});

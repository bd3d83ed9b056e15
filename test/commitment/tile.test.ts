import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concatBytes32,
  fromBytes32,
  integerToBytes32,
  MalformedBytes32Error,
  toBytes32,
} from "../../shared/commitment/bytes32.ts";
import { keccak256, keccak256Pairs, portableKeccak256Pairs } from "../../shared/commitment/keccak.ts";
import { portableSha256Blocks, sha256, sha256Blocks } from "../../shared/commitment/sha256.ts";
import { tensorDepth, tensorRoot, tensorRoots, tensorTree } from "../../shared/commitment/tensorRoot.ts";
import {
  bytesToWords,
  TileRangeError,
  TileSizeError,
  tileBytes,
  tileCount,
  tileHash,
  tileHashes,
  wordsToBytes,
} from "../../shared/commitment/tile.ts";
import { Random } from "../helpers/random.ts";
import { randomBytes, randomWords } from "../helpers/randomBytes.ts";
import { oracleRoot, oracleTileHashes } from "./oracle.ts";

const COUNTS = [0, 1, 63, 64, 65, 127, 128, 129, 640, 1000, 5000];

describe("tiles", () => {
  for (const count of COUNTS) {
    it(`are 64 zero-padded little-endian words: a tensor of ${count}`, () => {
      const words = randomWords(new Random(count), count);
      const expected = oracleTileHashes(words);
      assert.equal(tileCount(count), expected.length);
      assert.deepEqual(Buffer.from(tileHashes(words)), Buffer.concat(expected));
      for (const [tile, hash] of expected.entries()) {
        assert.equal(tileHash(tileBytes(words, tile)), `0x${Buffer.from(hash).toString("hex")}`);
      }
      assert.equal(tensorRoot(words), oracleRoot(expected));
      assert.equal(tensorTree(words).root, oracleRoot(expected));
      assert.equal(tensorTree(words).depth, tensorDepth(count));
    });
  }

  it("of a view on a larger buffer are those of its words alone", () => {
    const words = randomWords(new Random(1), 300);
    assert.equal(tensorRoot(words.subarray(7, 200)), tensorRoot(words.slice(7, 200)));
  });

  it("of several tensors follow one another", () => {
    const tensors = [1, 64, 200].map((count) => randomWords(new Random(count), count));
    assert.deepEqual(tensorRoots(tensors), concatBytes32(tensors.map(tensorRoot)));
  });

  it("change the root with every bit", () => {
    const words = randomWords(new Random(2), 130);
    const root = tensorRoot(words);
    for (let bit = 0; bit < 32; bit++) {
      for (const position of [0, 63, 64, 129]) {
        const changed = words.slice();
        changed[position]! ^= 1 << bit;
        assert.notEqual(tensorRoot(changed), root);
      }
    }
  });

  it("do not exist outside the tensor", () => {
    for (const tile of [-1, 2, 0.5, Number.NaN]) {
      assert.throws(() => tileBytes(new Uint32Array(65), tile), TileRangeError);
    }
    assert.equal(tileBytes(new Uint32Array(0), 0).length, 256);
  });

  it("have 256 bytes", () => {
    assert.throws(() => tileHash(new Uint8Array(255)), TileSizeError);
    assert.throws(() => tileHash(new Uint8Array(257)), TileSizeError);
  });
});

describe("words and bytes", () => {
  const words = Uint32Array.of(0x03020100, 0x07060504);
  const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);

  it("are little-endian and round-trip", () => {
    assert.deepEqual(wordsToBytes(words), bytes);
    assert.deepEqual(bytesToWords(bytes), words);
    assert.deepEqual(bytesToWords(Uint8Array.of(9, ...bytes).subarray(1)), words);
  });

  it("are copied out of a Buffer too", () => {
    const buffer = Buffer.from(bytes);
    const copy = bytesToWords(buffer);
    buffer.fill(255);
    assert.deepEqual(copy, words);
    assert.equal(copy.buffer.byteLength, 8);
  });

  it("are swapped on a big-endian host", () => {
    const swapped = Uint8Array.of(3, 2, 1, 0, 7, 6, 5, 4);
    assert.deepEqual(wordsToBytes(words, false), swapped);
    assert.deepEqual(new Uint8Array(bytesToWords(bytes, false).buffer), swapped);
  });
});

describe("the portable hashes", () => {
  const blocks = randomBytes(new Random(3), 256 * 20);

  it("equal the fast ones", () => {
    assert.deepEqual(portableSha256Blocks(blocks, 256), sha256Blocks(blocks, 256));
    assert.deepEqual(portableKeccak256Pairs(blocks), keccak256Pairs(blocks));
  });

  it("are taken block by block", () => {
    assert.deepEqual(sha256Blocks(blocks, 256).subarray(32, 64), sha256(blocks.subarray(256, 512)));
    assert.deepEqual(keccak256Pairs(blocks).subarray(32, 64), keccak256(blocks.subarray(64, 128)));
  });
});

describe("bytes32", () => {
  it("reads and writes 0x and 64 digits", () => {
    const bytes = randomBytes(new Random(4), 40);
    assert.deepEqual(fromBytes32(toBytes32(bytes, 5)), bytes.slice(5, 37));
    assert.equal(integerToBytes32(5n), `0x${"0".repeat(63)}5`);
    assert.equal(integerToBytes32(-1n), `0x${"f".repeat(64)}`);
  });

  it("refuses everything else", () => {
    const word = "ab".repeat(32);
    for (const value of [word, `0x${word}0`, `0x${word.slice(1)}`, `0x${word.slice(1)}g`, "", "0x", ` 0x${word}`]) {
      assert.throws(() => fromBytes32(value), MalformedBytes32Error, value);
    }
    assert.throws(() => fromBytes32(5 as never), MalformedBytes32Error);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressAt, multiIndex, operandLine, staysInside, tilesOfRange } from "../../shared/operators/address.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { operand } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

test("multi-indices count in row-major order", () => {
  const shape = [2, 1, 3];
  const indices = Array.from({ length: 6 }, (_, element) => multiIndex(shape, element));
  assert.deepEqual(
    indices,
    [0, 1].flatMap((i) => [0, 1, 2].map((k) => [i, 0, k])),
  );
  assert.deepEqual(multiIndex([], 0), []);
  assert.deepEqual(multiIndex([65536, 65535], 2 ** 32 - 65537), [65535, 65534]);
});

test("addresses are exact far beyond 2^53, and null outside the operand", () => {
  const far = operand("state", 0, 4, [2 ** 31 - 1, -(2 ** 31), 1], { offset: 3 });
  const line = operandLine(far, [2 ** 32 - 1, 2 ** 32 - 2]);
  assert.equal(line.base, 3n + (2n ** 32n - 1n) * (2n ** 31n - 1n) - (2n ** 32n - 2n) * 2n ** 31n);
  assert.equal(addressAt(line, 0), null);
  assert.equal(addressAt({ base: 2n ** 60n, stride: -(2 ** 29), count: 4 }, 2 ** 31), 0);
  assert.equal(addressAt({ base: 2n ** 60n + 1n, stride: -(2 ** 29), count: 4 }, 2 ** 31), 1);
  assert.equal(addressAt({ base: 3n, stride: 1, count: 4 }, 0), 3);
  assert.equal(addressAt({ base: 3n, stride: 1, count: 4 }, 1), null);
  assert.equal(addressAt({ base: 3n, stride: -4, count: 4 }, 1), null);
});

test("staysInside says whether all addresses exist", () => {
  const random = new Random(101);
  const answers = [0, 0];
  for (let i = 0; i < 4000; i++) {
    const shape = Array.from({ length: random.below(4) }, () => random.between(1, 3));
    const length = random.between(1, 4);
    const strides = [...shape, length].map(() => random.between(-2, 4));
    const view = operand("state", 0, random.between(1, 20), strides, { offset: random.below(8) });
    const all = Array.from({ length: wordCount(shape) }, (_, element) => operandLine(view, multiIndex(shape, element)));
    const inside = all.every((line) => Array.from({ length }, (_, k) => addressAt(line, k)).every((at) => at !== null));
    assert.equal(staysInside(view, shape, length), inside);
    answers[Number(inside)]! += 1;
  }
  assert.ok(
    answers.every((count) => count > 300),
    `${answers}`,
  );
});

test("the tiles of a range are those of its addresses inside the operand", () => {
  const line = { base: 60n, stride: 3, count: 200 };
  assert.deepEqual(tilesOfRange(line, 0, 1), [0]);
  assert.deepEqual(tilesOfRange(line, 0, 3), [0, 1]);
  assert.deepEqual(tilesOfRange(line, 40, 64), [2, 3]);
  assert.deepEqual(tilesOfRange(line, 47, 64), []);
  assert.deepEqual(tilesOfRange({ ...line, stride: -30 }, 0, 64), [0]);
  assert.deepEqual(tilesOfRange({ ...line, stride: 0 }, 5, 64), [0]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { roundToFloat32 } from "../../shared/numerics/rounding.ts";
import { compareDyadic, magnitudeOf, roundsTo } from "../helpers/float32.ts";
import { Random } from "../helpers/random.ts";

function check(value: bigint, exponent: number): void {
  const word = roundToFloat32(value, exponent);
  const m = value < 0n ? -value : value;
  assert.ok(
    roundsTo(word, (d) => compareDyadic({ m, e: exponent }, d)),
    `RN32(${value} · 2^${exponent}) gave ${word}`,
  );
  if (value !== 0n) assert.equal(word >>> 31, value < 0n ? 1 : 0);
}

function integer(random: Random, bits: number): bigint {
  let value = 0n;
  for (let i = 0; i < bits; i += 32) value = (value << 32n) | BigInt(random.word());
  return value & ((1n << BigInt(bits)) - 1n);
}

test("random integers of every size round correctly at every exponent", () => {
  const random = new Random(21);
  for (let i = 0; i < 20_000; i++) {
    const value = integer(random, random.between(1, 256));
    check(random.chance(0.5) ? -value : value, random.between(-420, 140));
  }
});

test("exact values, midpoints and their neighbours round correctly", () => {
  const random = new Random(22);
  for (let i = 0; i < 4000; i++) {
    const word = random.chance(0.3) ? random.below(0x00900000) : random.below(0x7f800000);
    const { m, e } = magnitudeOf(word);
    assert.equal(roundToFloat32(m, e), word);
    const midpoint = 2n * m + 1n;
    check(midpoint, e - 1);
    const extra = random.between(1, 100);
    check((midpoint << BigInt(extra)) + 1n, e - 1 - extra);
    check(-((midpoint << BigInt(extra)) - 1n), e - 1 - extra);
  }
});

test("the borders: zero, underflow, the least normal number, overflow, and exponents beyond any float", () => {
  assert.equal(roundToFloat32(0n, 10 ** 9), 0);
  assert.equal(roundToFloat32(1n, -149), 1);
  assert.equal(roundToFloat32(1n, -150), 0);
  assert.equal(roundToFloat32(3n, -151), 1);
  assert.equal(roundToFloat32(-1n, -151), 0x80000000);
  assert.equal(roundToFloat32((1n << 24n) - 1n, -150), 0x00800000);
  assert.equal(roundToFloat32((1n << 24n) - 1n, 104), 0x7f7fffff);
  assert.equal(roundToFloat32((1n << 25n) - 1n, 103), 0x7f800000);
  assert.equal(roundToFloat32((1n << 26n) - 3n, 102), 0x7f7fffff);
  assert.equal(roundToFloat32(-1n, 128), 0xff800000);
  assert.equal(roundToFloat32(1n, 1n << 255n), 0x7f800000);
  assert.equal(roundToFloat32(-1n, -(1n << 255n)), 0x80000000);
});

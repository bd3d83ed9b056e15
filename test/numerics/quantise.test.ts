import assert from "node:assert/strict";
import { test } from "node:test";
import { toNumber } from "../../shared/numerics/float32.ts";
import { peakExponent, powerOfTwo, quantise } from "../../shared/numerics/quantise.ts";
import { anyFloat, exactValue } from "../helpers/float32.ts";
import { Random } from "../helpers/random.ts";

/** The definition in integers: docs/numerics.md, section 2.3. */
function oracle(x: number, peak: number, bits: number): bigint {
  const limit = 1n << BigInt(bits);
  if ((x & 0x7fffffff) > 0x7f800000) return 0n;
  if ((x & 0x7fffffff) === 0x7f800000) return x >>> 31 === 1 ? -limit : limit;
  const unit = Math.max(1, (peak >>> 23) & 0xff) - 127 - bits;
  const { m, e } = exactValue(x);
  const magnitude = m < 0n ? -m : m;
  const shift = BigInt(e - unit);
  let rounded: bigint;
  if (shift >= 0n) rounded = magnitude << shift;
  else {
    const divisor = 1n << -shift;
    rounded = (2n * magnitude + divisor) / (2n * divisor);
    if ((2n * magnitude + divisor) % (2n * divisor) === 0n && rounded % 2n === 1n) rounded -= 1n;
  }
  const clamped = rounded > limit ? limit : rounded;
  return m < 0n ? -clamped : clamped;
}

test("quantise is its definition in integers, for any peak word", () => {
  const random = new Random(31);
  for (let i = 0; i < 20_000; i++) {
    const [x, peak, bits] = [anyFloat(random), anyFloat(random), random.between(1, 22)];
    const value = quantise(x, peak, bits);
    assert.equal(BigInt(value), oracle(x, peak, bits));
    assert.ok(!Object.is(value, -0));
  }
});

test("values on and beside half a unit round to even", () => {
  const random = new Random(32);
  for (let i = 0; i < 4000; i++) {
    const bits = random.between(1, 22);
    const half = random.between(-(2 ** bits), 2 ** bits) + 0.5;
    const exponent = random.between(-40, 20);
    const [cell] = new Uint32Array(Float32Array.of(half * 2 ** (exponent - bits)).buffer);
    const peak = (exponent + 127) << 23;
    for (const x of [cell! - 1, cell!, cell! + 1]) assert.equal(BigInt(quantise(x, peak, bits)), oracle(x, peak, bits));
  }
});

test("below the peak it is what a float32 engine computes as (x + c) - c", () => {
  const random = new Random(33);
  for (let i = 0; i < 20_000; i++) {
    const exponent = random.between(-40, 20);
    const bits = random.between(1, 22);
    const x = Math.fround((random.unit() * 2 - 1) * 2 ** (exponent - random.below(30)));
    const unit = 2 ** (exponent - bits);
    const c = 1.5 * 2 ** 23 * unit;
    const snapped = Math.fround(Math.fround(x + c) - c);
    const [word] = new Uint32Array(Float32Array.of(x).buffer);
    assert.equal(quantise(word!, (exponent + 127) << 23, bits) * unit, snapped + 0);
  }
});

test("peak words that are no power of two have an exponent all the same", () => {
  assert.equal(peakExponent(0x3f800000), 0);
  assert.equal(peakExponent(0xbf812345), 0);
  assert.equal(peakExponent(0), -126);
  assert.equal(peakExponent(0x80000001), -126);
  assert.equal(peakExponent(0x7f800000), 128);
  assert.equal(peakExponent(0x7fc00000), 128);
  for (let e = -126; e < 128; e++) assert.equal(toNumber((e + 127) << 23), powerOfTwo(e));
  assert.equal(powerOfTwo(-1022) * powerOfTwo(1022), 1);
});

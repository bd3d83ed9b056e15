import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "../../shared/numerics/float32.ts";
import {
  addDyadic,
  anyFloat,
  compareDyadic,
  type Dyadic,
  exactValue,
  magnitudeOf,
  multiplyDyadic,
  roundsTo,
} from "../helpers/float32.ts";
import { Random } from "../helpers/random.ts";

const finite = (word: number): boolean => (word & 0x7f800000) !== 0x7f800000;
const signOf = (word: number): number => word >>> 31;
const hex = (...words: number[]): string => words.map((word) => (word >>> 0).toString(16)).join(" ");

function checkAdd(a: number, b: number): void {
  const word = f.add(a, b);
  const exact = addDyadic(exactValue(a), exactValue(b));
  const magnitude: Dyadic = { m: exact.m < 0n ? -exact.m : exact.m, e: exact.e };
  assert.ok(
    roundsTo(word, (d) => compareDyadic(magnitude, d)),
    `add ${hex(a, b)} gave ${hex(word)}`,
  );
  if (exact.m !== 0n) assert.equal(signOf(word), exact.m < 0n ? 1 : 0);
}

function checkMul(a: number, b: number): void {
  const word = f.mul(a, b);
  const exact = multiplyDyadic(magnitudeOf(a), magnitudeOf(b));
  assert.ok(
    roundsTo(word, (d) => compareDyadic(exact, d)),
    `mul ${hex(a, b)} gave ${hex(word)}`,
  );
  assert.equal(signOf(word), signOf(a) ^ signOf(b));
}

function checkDiv(a: number, b: number): void {
  if (magnitudeOf(b).m === 0n) return;
  const word = f.div(a, b);
  const [x, y] = [magnitudeOf(a), magnitudeOf(b)];
  assert.ok(
    roundsTo(word, (d) => compareDyadic(x, multiplyDyadic(d, y))),
    `div ${hex(a, b)} gave ${hex(word)}`,
  );
  assert.equal(signOf(word), signOf(a) ^ signOf(b));
}

function checkSqrt(a: number): void {
  const positive = a & 0x7fffffff;
  const word = f.sqrt(positive);
  const x = magnitudeOf(positive);
  assert.ok(
    roundsTo(word, (d) => compareDyadic(x, multiplyDyadic(d, d))),
    `sqrt ${hex(positive)} gave ${hex(word)}`,
  );
}

test("add, sub, mul, div and sqrt round correctly on random and edge words", () => {
  const random = new Random(11);
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = [anyFloat(random), anyFloat(random)];
    if (!finite(a) || !finite(b)) continue;
    checkAdd(a, b);
    assert.equal(f.sub(a, b), f.add(a, f.neg(b)));
    checkMul(a, b);
    checkDiv(a, b);
    checkSqrt(a);
  }
});

test("ties, carries into the next binade, subnormal results and overflow round correctly", () => {
  const random = new Random(12);
  for (let i = 0; i < 4000; i++) {
    // A sum that lies exactly on, or one unit of the smaller operand beside, a midpoint.
    const exponent = random.between(30, 250);
    const a = (exponent << 23) | (random.chance(0.2) ? 0x7fffff : random.word() & 0x7fffff);
    checkAdd(a, ((exponent - 24) << 23) | random.below(2));
    checkAdd(a, (((exponent - 24) << 23) | random.below(2) | 0x80000000) >>> 0);
    // A quotient and a product that are subnormal.
    const tiny = random.between(1, 24) << 23;
    checkDiv(tiny | (random.word() & 0x7fffff), (random.between(127, 150) << 23) | (random.word() & 0x7fffff));
    checkMul(tiny | (random.word() & 0x7fffff), (random.between(95, 126) << 23) | (random.word() & 0x7fffff));
  }
  checkAdd(0x7f7fffff, 0x73000000); // exactly the midpoint to 2^128: infinity
  assert.equal(f.add(0x7f7fffff, 0x73000000), f.INFINITY);
  assert.equal(f.add(0x7f7fffff, 0x72ffffff), 0x7f7fffff);
  assert.equal(f.mul(0x00000001, 0x3f000000), 0); // half the least subnormal: tie to even
  assert.equal(f.mul(0x00000003, 0x3f000000), 2);
});

/** The float32 word of an integer below 2^24. */
function wordOf(integer: bigint): number {
  return new Uint32Array(Float32Array.of(Number(integer)).buffer)[0]!;
}

test("quotients and roots as close to a midpoint as they can be round correctly", () => {
  const random = new Random(15);
  let quotients = 0;
  let roots = 0;
  for (let i = 0; i < 4000; i++) {
    const r = BigInt(2 * random.between(-20, 20) + 1);
    // a = (midpoint · b − r) / 2^25 makes a / b miss the 25-bit odd midpoint by r / b of its last place.
    const b = (BigInt(random.word()) >> 8n) | 0x800001n;
    let inverse = b;
    for (let k = 0; k < 5; k++) inverse = BigInt.asUintN(25, inverse * (2n - b * inverse));
    const midpoint = BigInt.asUintN(25, r * inverse);
    if (midpoint >> 24n === 1n) {
      quotients += 1;
      checkDiv(wordOf((midpoint * b - r) >> 25n), wordOf(b));
    }
    // A 2-adic square root of s makes root² end in s: a = (root² − s) / 2^26 has a root next to that midpoint.
    const s = BigInt(8 * random.between(-1000, 1000) + 1);
    let root = 1n;
    for (let k = 3n; k < 26n; k++) if (BigInt.asUintN(Number(k) + 1, root * root - s) !== 0n) root += 1n << (k - 1n);
    for (const candidate of [BigInt.asUintN(25, root), BigInt.asUintN(25, -root)]) {
      if (candidate >> 24n !== 1n) continue;
      roots += 1;
      checkSqrt(wordOf((candidate * candidate - s) >> 26n));
    }
  }
  assert.ok(quotients > 1000 && roots > 1000);
});

test("NaN, infinities and signed zeros", () => {
  const { NAN, INFINITY, ONE, NEGATIVE_ZERO } = f;
  const payload = 0xff800001;
  for (const operation of [f.add, f.sub, f.mul, f.div, f.max, f.min]) {
    assert.equal(operation(payload, ONE), NAN);
    assert.equal(operation(ONE, payload), NAN);
  }
  for (const operation of [f.sqrt, f.abs, f.neg, f.canonical]) assert.equal(operation(payload), NAN);
  assert.equal(f.sub(INFINITY, INFINITY), NAN);
  assert.equal(f.mul(INFINITY, NEGATIVE_ZERO), NAN);
  assert.equal(f.div(0, NEGATIVE_ZERO), NAN);
  assert.equal(f.sqrt(0xbf800000), NAN);
  assert.equal(f.sqrt(NEGATIVE_ZERO), NEGATIVE_ZERO);
  assert.equal(f.div(ONE, 0), INFINITY);
  assert.equal(f.div(ONE, NEGATIVE_ZERO), 0xff800000);
  assert.equal(f.canonical(NEGATIVE_ZERO), 0);
  assert.equal(f.canonical(0xbf800000), 0xbf800000);
  assert.equal(f.neg(0), NEGATIVE_ZERO);
  assert.equal(f.abs(NEGATIVE_ZERO), 0);
  assert.equal(f.add(NEGATIVE_ZERO, NEGATIVE_ZERO), NEGATIVE_ZERO);
  assert.equal(f.add(ONE, 0xbf800000), 0);
  for (const [a, b] of [
    [0, NEGATIVE_ZERO],
    [NEGATIVE_ZERO, 0],
  ] as const) {
    assert.equal(f.max(a, b), 0);
    assert.equal(f.min(a, b), NEGATIVE_ZERO);
    assert.equal(f.less(a, b), 0);
    assert.equal(f.equal(a, b), ONE);
  }
  assert.equal(f.less(payload, ONE), 0);
  assert.equal(f.less(ONE, payload), 0);
  assert.equal(f.equal(payload, payload), 0);
  assert.equal(f.select(payload, 1, 2), 1);
  assert.equal(f.select(NEGATIVE_ZERO, 1, 2), 2);
  assert.equal(f.select(1, 3, 2), 3); // a subnormal is not zero
});

test("comparison, max and min agree with exact values", () => {
  const random = new Random(13);
  for (let i = 0; i < 5000; i++) {
    const [a, b] = [anyFloat(random), anyFloat(random)];
    if (f.isNan(a) || f.isNan(b)) continue;
    const order = compareDyadic(exactValue(a), exactValue(b));
    assert.equal(f.less(a, b), order < 0 ? f.ONE : 0);
    assert.equal(f.equal(a, b), order === 0 ? f.ONE : 0);
    if (order === 0) continue;
    assert.equal(f.max(a, b), order < 0 ? b : a);
    assert.equal(f.min(a, b), order < 0 ? a : b);
  }
});

test("integers are rounded to the nearest float32", () => {
  const random = new Random(14);
  for (const word of [0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x01000001, 0x01000003, 0xfeffffff]) check(word);
  for (let i = 0; i < 2000; i++) check(random.word() >>> random.below(32));
  function check(word: number): void {
    const value = BigInt(word | 0);
    const magnitude: Dyadic = { m: value < 0n ? -value : value, e: 0 };
    const rounded = f.fromInt(word);
    assert.ok(
      roundsTo(rounded, (d) => compareDyadic(magnitude, d)),
      hex(word),
    );
    assert.equal(signOf(rounded), value < 0n ? 1 : 0);
  }
});

/** Numbers on which wrong arithmetic shows: ties, neighbours of powers of two, cancellations, and seeded random ones. */
import { keyOf, philox4x32 } from "../../numerics/philox.ts";

/** A length that leaves a remainder in every vector width. */
export const LENGTH = 1031;

const ULP = 2 ** -23;
const KEY = keyOf(0x746f75636873746fn);

/** Pairs for every two-operand instruction; results stay normal and finite. */
const DIRECTED: readonly (readonly [number, number])[] = [
  // Sums that lie halfway between two numbers: to even, upwards and downwards.
  [1, 2 ** -24],
  [1 + ULP, 2 ** -24],
  [-1, 2 ** -24],
  [2 ** 24, 1],
  [2 ** 24 + 2, 1],
  [16777215, 0.5],
  // Just above and below such a middle.
  [1, 2 ** -24 + 2 ** -47],
  [1, 2 ** -24 - 2 ** -48],
  // Cancellation.
  [1 + ULP, -1],
  [2 ** 20, -(2 ** 20) + 0.0625],
  // Products that lie halfway, and products whose last bits a fused multiply-add would keep.
  [1 + 2 ** -12, 1 + 2 ** -12],
  [1 + 2 ** -11 + ULP, 1 - 2 ** -12],
  [1 + ULP, 1 + ULP],
  [1.5, 1 + ULP],
  // Quotients next to a middle, found where the remainder is smallest.
  [1, 3],
  [1, 1 + ULP],
  [1 - ULP / 2, 1 + ULP],
  [16777213, 16777215],
  [8388609, 8388607],
  // Roots next to a middle.
  [1 + 2 * ULP, 2],
  [4 - 2 ** -21, 7],
  [2 - ULP, 10],
  [0, 5],
  [0.25, 0.25],
  [-0.75, 0.75],
];

/** Two float32 vectors; the second has no zero. */
export function floatPairs(): { readonly a: Float32Array; readonly b: Float32Array } {
  const a = new Float32Array(LENGTH);
  const b = new Float32Array(LENGTH);
  for (let i = 0; i < LENGTH; i++) {
    const directed = DIRECTED[i];
    [a[i], b[i]] = directed ?? [randomFloat(i, 1, 19), randomFloat(i, 2, 19)];
    // Equal operands, for comparisons and for 1 and 0 as results.
    if (directed === undefined && i % 16 === 0) b[i] = a[i]!;
  }
  return { a, b };
}

/**
 * Dividends, divisors and radicands whose quotient or root lies next to the middle of two float32s: the middle times the divisor, or
 * squared, rounded to a float32.
 */
export function nearMiddles(count: number, stream: number) {
  const dividends = new Float32Array(count);
  const radicands = new Float32Array(count);
  const divisors = randomFloats(count, stream, 12);
  for (let i = 0; i < count; i++) {
    const [fraction, exponent] = lanes(i, stream + 1);
    // Both ends of a binade are hard: now and then the significand is next to 1 or 2.
    const significand = i % 8 === 0 ? fraction % 4 : i % 8 === 1 ? 2 ** 23 - 1 - (fraction % 4) : fraction >>> 9;
    const middle = (1 + (significand + 0.5) * ULP) * 2 ** ((exponent % 24) - 12);
    dividends[i] = middle * divisors[i]!;
    radicands[i] = middle * middle;
  }
  return { dividends, divisors, radicands };
}

/** Rows of `middleDigits`. */
export const MIDDLES = 96;

/** Rows (c, d, e) · 2^-20 with c · 2^20 + d · 2^10 + e in the middle of two float32s, one below it and one above. */
export function middleDigits(): Float32Array {
  const digits = new Float32Array(MIDDLES * 3);
  for (let i = 0; i < MIDDLES; i++) {
    const [fraction, length] = lanes(i, 23);
    // 24 bits and a half of the last one, of 25 to 40 bits.
    const half = 2 ** (length % 16);
    const target = (2 ** 24 + 2 * (fraction >>> 9) + 1) * half + (i % 3) - 1;
    const c = Math.floor(target / 2 ** 20);
    const rest = target - c * 2 ** 20;
    const d = Math.floor(rest / 2 ** 10);
    const sign = i % 2 === 0 ? 2 ** -20 : -(2 ** -20);
    digits.set([c * sign, d * sign, (rest - d * 2 ** 10) * sign], 3 * i);
  }
  return digits;
}

/** Normal numbers of magnitude 2^-spread … 2^spread with random signs. */
export function randomFloats(count: number, stream: number, spread: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => randomFloat(i, stream, spread));
}

/** Random integers in 0 … bound − 1. */
export function randomIntegers(count: number, stream: number, bound: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => Math.floor((lanes(i, stream)[0] / 2 ** 32) * bound));
}

/** Integers that float32 does not hold: ties to even, and the ends of the range. */
export const WIDE_INTEGERS = Int32Array.of(
  ...[0, -1, 16777216, 16777217, 16777219, -16777217, 33554434, 33554438, 123456789, 2147483647, -2147483648],
);

/** Normal pairs of which some sum, difference, product or quotient is subnormal. */
export const FAINT = {
  a: Float32Array.of(1.5 * 2 ** -126, 1.25 * 2 ** -126, 2 ** -100, 2 ** -100, 1.5 * 2 ** -75, (1 + ULP) * 2 ** -126),
  b: Float32Array.of(-(2 ** -126), 1.5 * 2 ** -126, 2 ** -40, 2 ** 40, 1.25 * 2 ** -74, 2 ** -126),
};

function randomFloat(i: number, stream: number, spread: number): number {
  const [fraction, exponent, sign] = lanes(i, stream);
  const magnitude = (1 + (fraction >>> 9) * ULP) * 2 ** Math.floor((exponent / 2 ** 32) * 2 * spread - spread);
  return sign & 1 ? -magnitude : magnitude;
}

function lanes(i: number, stream: number) {
  return philox4x32([i, stream, 0, 0], KEY);
}

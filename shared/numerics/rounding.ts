/** RN32 of an exact value given as an integer times a power of two. Twin of `contracts/libraries/Rounding.sol`. */
import { INFINITY, MIN_NORMAL_EXPONENT, POSITIVE_ZERO } from "./float32.ts";

const SIGNIFICAND_BITS = 24;

/** Position of the highest set bit plus one; 0 for 0. */
export function bitLength(magnitude: bigint): number {
  return magnitude === 0n ? 0 : magnitude.toString(2).length;
}

/** floor(magnitude / 2^shift), to even at ties; `shift` ≥ 1. */
export function shiftRoundHalfEven(magnitude: bigint, shift: bigint): bigint {
  const quotient = magnitude >> shift;
  const rest = magnitude - (quotient << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

/**
 * RN32(value · 2^exponent): the nearest binary32 word, ties to even, subnormals included, overflow to infinity. Zero is +0.
 * The exponent may be any integer; work is bounded by the size of `value`.
 */
export function roundToFloat32(value: bigint, exponent: number | bigint): number {
  if (value === 0n) return POSITIVE_ZERO;
  const sign = value < 0n ? 0x80000000 : 0;
  const magnitude = value < 0n ? -value : value;
  const length = BigInt(bitLength(magnitude));
  const scale = BigInt(exponent);
  // The value lies in [2^top, 2^(top + 1)).
  const top = length - 1n + scale;
  if (top > 127n) return (sign | INFINITY) >>> 0;
  if (top < BigInt(MIN_NORMAL_EXPONENT - SIGNIFICAND_BITS)) return sign;
  const unitExponent =
    (top < BigInt(MIN_NORMAL_EXPONENT) ? BigInt(MIN_NORMAL_EXPONENT) : top) - BigInt(SIGNIFICAND_BITS - 1);
  const shift = unitExponent - scale;
  const significand = shift > 0n ? shiftRoundHalfEven(magnitude, shift) : magnitude << -shift;
  // Adding the significand to the exponent field carries where rounding reaches the next power of two, up to infinity.
  const field = (unitExponent - BigInt(MIN_NORMAL_EXPONENT - (SIGNIFICAND_BITS - 1))) << 23n;
  return (sign | Number(field + significand)) >>> 0;
}

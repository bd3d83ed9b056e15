/**
 * IEEE-754 binary32 as 32-bit words (docs/numerics.md, sections 1 and 2.2). Twin of `contracts/libraries/Float32.sol`.
 *
 * Rounding is `Math.fround` of the binary64 result. For binary32 operands that is RN32 of the real result of +, −, ×, ÷ and √:
 * products are exact in binary64; a sum, quotient or root that is not exact there is never so close to a midpoint of two
 * binary32 numbers that the first rounding reaches it (Figueroa 1995), and one whose binary32 is subnormal is exact (sums,
 * roots do not occur) or differs from every midpoint by more than 2^-49 of itself (quotients).
 */

export const POSITIVE_ZERO = 0x00000000;
export const NEGATIVE_ZERO = 0x80000000;
export const ONE = 0x3f800000;
export const INFINITY = 0x7f800000;
export const NAN = 0x7fc00000;
/** Exponent of the least positive normal number. */
export const MIN_NORMAL_EXPONENT = -126;

const cell = new Float32Array(1);
const bits = new Uint32Array(cell.buffer);

/** The number that a word stands for. */
export function toNumber(word: number): number {
  bits[0] = word;
  return cell[0]!;
}

/** RN32 of a binary64 number as a word; NaN gives the canonical NaN, −0 keeps its sign. */
export function fromNumber(value: number): number {
  if (Number.isNaN(value)) return NAN;
  cell[0] = value;
  return bits[0]!;
}

export function isNan(word: number): boolean {
  return (word & 0x7fffffff) > INFINITY;
}

/** What is hashed: −0 becomes +0 and every NaN 0x7fc00000. */
export function canonical(word: number): number {
  if (isNan(word)) return NAN;
  return word >>> 0 === NEGATIVE_ZERO ? POSITIVE_ZERO : word >>> 0;
}

/** RN32 of an int32 given as a two's complement word. */
export function fromInt(word: number): number {
  return fromNumber(word | 0);
}

export function add(a: number, b: number): number {
  return fromNumber(toNumber(a) + toNumber(b));
}

export function sub(a: number, b: number): number {
  return fromNumber(toNumber(a) - toNumber(b));
}

export function mul(a: number, b: number): number {
  return fromNumber(toNumber(a) * toNumber(b));
}

export function div(a: number, b: number): number {
  return fromNumber(toNumber(a) / toNumber(b));
}

export function sqrt(a: number): number {
  return fromNumber(Math.sqrt(toNumber(a)));
}

export function abs(a: number): number {
  return isNan(a) ? NAN : a & 0x7fffffff;
}

export function neg(a: number): number {
  return isNan(a) ? NAN : (a ^ 0x80000000) >>> 0;
}

/** NaN if either is NaN; −0 is below +0. */
export function max(a: number, b: number): number {
  return fromNumber(Math.max(toNumber(a), toNumber(b)));
}

/** NaN if either is NaN; −0 is below +0. */
export function min(a: number, b: number): number {
  return fromNumber(Math.min(toNumber(a), toNumber(b)));
}

/** 1 if a < b, else 0; 0 if either is NaN. */
export function less(a: number, b: number): number {
  return toNumber(a) < toNumber(b) ? ONE : POSITIVE_ZERO;
}

/** 1 if a = b, else 0; zeros are equal, NaN equals nothing. */
export function equal(a: number, b: number): number {
  return toNumber(a) === toNumber(b) ? ONE : POSITIVE_ZERO;
}

/** b unless the condition is a zero of either sign; NaN selects b. */
export function select(condition: number, b: number, c: number): number {
  return toNumber(condition) !== 0 ? b : c;
}

/**
 * What the validator knows of a number before any data: an interval, the least magnitude that is not zero, and a grid (docs/numerics.md,
 * section 4.1). `least` and `grid` are exponents: the value is zero or |x| ≥ 2^least, and a multiple of 2^grid.
 */

import { floorLog2 } from "../../numerics/log2.ts";

export interface Range {
  readonly low: number;
  readonly high: number;
  readonly least: number;
  readonly grid: number;
}

/** Significand bits behind the first: a number of magnitude ≥ 2^n is a multiple of 2^(n − 23). */
const FRACTION_BITS = 23;
const LEAST_SUBNORMAL = -149;
/** Of a number that is always zero. */
const NOTHING = Number.POSITIVE_INFINITY;

/** A range from what is known, with what follows from it: the interval bounds the least magnitude, that the grid, and the other way round. */
export function rangeOf(low: number, high: number, least: number, grid: number): Range {
  if (low === 0 && high === 0) return { low, high, least: NOTHING, grid: NOTHING };
  const away = distanceFromZero({ low, high });
  const atLeast = Math.max(least, away === 0 ? Number.NEGATIVE_INFINITY : floorLog2(away));
  const onGrid = Math.max(grid, atLeast - FRACTION_BITS, LEAST_SUBNORMAL);
  return { low, high, least: Math.max(atLeast, onGrid), grid: onGrid };
}

/** Numbers of an interval that are multiples of 2^grid. */
export function gridRange(low: number, high: number, grid: number): Range {
  return rangeOf(low, high, grid, grid);
}

/** One float32 number. */
export function exactRange(value: number): Range {
  if (value === 0) return rangeOf(0, 0, NOTHING, NOTHING);
  const least = floorLog2(value);
  let grid = least - FRACTION_BITS;
  while (Number.isInteger(value / 2 ** (grid + 1))) grid += 1;
  return rangeOf(value, value, least, grid);
}

/** A number that is one of these float32 words, none of them subnormal: the union of their exact ranges, in one pass over millions. */
export function wordsRange(words: Uint32Array): Range {
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [least, grid] = [NOTHING, NOTHING];
  for (let at = 0; at < words.length; at++) {
    const value = values[at]!;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value === 0) continue;
    const exponent = ((words[at]! >>> 23) & 0xff) - 127;
    const significand = (words[at]! & 0x7fffff) | 0x800000;
    const lowest = exponent - FRACTION_BITS + 31 - Math.clz32(significand & -significand);
    if (exponent < least) least = exponent;
    if (lowest < grid) grid = lowest;
  }
  return rangeOf(low, high, least, grid);
}

/** A number that lies in either. */
export function union(a: Range, b: Range): Range {
  const [low, high] = [Math.min(a.low, b.low), Math.max(a.high, b.high)];
  return rangeOf(low, high, Math.min(a.least, b.least), Math.min(a.grid, b.grid));
}

/** The same number, of which it is known besides that its magnitude is at most `bound`. */
export function bounded(range: Range, bound: number): Range {
  const clamp = (x: number): number => Math.min(Math.max(x, -bound), bound);
  return rangeOf(clamp(range.low), clamp(range.high), range.least, range.grid);
}

/** Greatest magnitude. */
export function magnitude({ low, high }: Pick<Range, "low" | "high">): number {
  return Math.max(-low, high);
}

/** Least magnitude by the interval alone; 0 when it holds zero. */
export function distanceFromZero({ low, high }: Pick<Range, "low" | "high">): number {
  return low > 0 ? low : high < 0 ? -high : 0;
}

/** Whether zero is possible. */
export function holdsZero(range: Range): boolean {
  return distanceFromZero(range) === 0;
}

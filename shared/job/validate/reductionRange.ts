/**
 * Interval analysis of the reducing families (docs/numerics.md, section 4.1). Their operands lie within their peaks, so a quantised value
 * differs from the value by at most half a unit and never exceeds the peak.
 */
import { ceilLog2, floorLog2 } from "../../numerics/log2.ts";
import { distanceFromZero, gridRange, magnitude, type Range, rangeOf } from "./range.ts";

/** 2^-40, the least that Peak gives in mode 1. */
const PEAK_FLOOR = 2 ** -40;
/** More than all roundings of the few binary64 operations below, as a share. */
const SLACK = 2 ** -40;

/** Σ over `length` products of quantised a and b. The peaks' ranges hold powers of two. */
export function dotRange(a: Range, b: Range, peakA: Range, peakB: Range, length: number, bits: number): Range {
  const x = quantised(a, peakA, bits);
  const y = quantised(b, peakB, bits);
  const ends = [x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high];
  const grid = floorLog2(peakA.low) + floorLog2(peakB.low) - 2 * bits;
  return totalRange(Math.min(...ends), Math.max(...ends), length, length, grid);
}

/** Σ over `length` quantised x. */
export function sumRange(x: Range, peak: Range, length: number, bits: number): Range {
  const { low, high } = quantised(x, peak, bits);
  return totalRange(low, high, length, length, floorLog2(peak.low) - bits);
}

/** Σ over some of `length` quantised x, perhaps none. */
export function sumByIndexRange(x: Range, peak: Range, length: number, bits: number): Range {
  const { low, high } = quantised(x, peak, bits);
  return totalRange(low, high, 0, length, floorLog2(peak.low) - bits);
}

/** max |x|, or the power of two that mode 1 gives. */
export function peakRange(x: Range, mode: 0 | 1): Range {
  const [low, high] = [distanceFromZero(x), magnitude(x)];
  if (mode === 0) return rangeOf(low, high, x.least, x.grid);
  const raised = (m: number): number => 2 ** ceilLog2(Math.max(m, PEAK_FLOOR));
  return gridRange(raised(low), raised(high), ceilLog2(Math.max(low, PEAK_FLOOR)));
}

function quantised(x: Range, peak: Range, bits: number): { readonly low: number; readonly high: number } {
  const halfUnit = peak.high * 2 ** -(bits + 1);
  const low = x.low - halfUnit;
  const high = x.high + halfUnit;
  return {
    low: Math.max(x.low >= 0 ? Math.max(low, 0) : low, -peak.high),
    high: Math.min(x.high <= 0 ? Math.min(high, 0) : high, peak.high),
  };
}

function totalRange(low: number, high: number, fewest: number, most: number, grid: number): Range {
  const least = low * (low >= 0 ? fewest : most);
  const greatest = high * (high >= 0 ? most : fewest);
  return gridRange(
    Math.fround(least - Math.abs(least) * SLACK),
    Math.fround(greatest + Math.abs(greatest) * SLACK),
    grid,
  );
}

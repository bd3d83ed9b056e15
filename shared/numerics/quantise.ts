/** The integer grids of Dot and Sum (docs/numerics.md, section 2.3). Twin of `contracts/libraries/Quantise.sol`. */
import { isNan, toNumber } from "./float32.ts";

const BIAS = 127;
/** Adding and subtracting it rounds a binary64 number of magnitude below 2^51 to an integer, ties to even. */
const TO_INTEGER = 1.5 * 2 ** 52;

/** E: the exponent of a peak word read as bits. Total: subnormals count as 2^-126, infinity and NaN as 2^128. */
export function peakExponent(peak: number): number {
  return Math.max(1, (peak >>> 23) & 0xff) - BIAS;
}

/** 2^exponent, exact for −1022 … 1023. */
export function powerOfTwo(exponent: number): number {
  scratchBits.setUint32(0, (exponent + 1023) << 20);
  return scratchBits.getFloat64(0);
}
const scratchBits = new DataView(new ArrayBuffer(8));

/** clamp(roundHalfEven(x / u), −2^P, 2^P) with u = 2^(E − P); NaN gives 0. An exact integer, never −0. */
export function quantise(x: number, peak: number, bits: number): number {
  if (isNan(x)) return 0;
  return quantiseNumber(toNumber(x), powerOfTwo(bits - peakExponent(peak)), powerOfTwo(bits));
}

/** The same for a number that is not NaN, with 1/u and 2^P already known: for loops over many elements. */
export function quantiseNumber(x: number, perUnit: number, limit: number): number {
  // A binary32 number times a power of two is exact in binary64; clamping first commutes with rounding, as 2^P is an integer.
  const scaled = Math.min(Math.max(x * perUnit, -limit), limit);
  return scaled + TO_INTEGER - TO_INTEGER;
}

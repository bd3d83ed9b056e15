/** Quantised operands of whole tensors, and the one rounding of their exact sums. */
import { peakExponent, powerOfTwo, quantiseNumber } from "../../numerics/quantise.ts";
import type { Operand } from "../../program/descriptor.ts";
import { addresses, numbersOf } from "./view.ts";

/** Largest magnitude that a sum of integers may reach in binary64 without rounding. */
export const EXACT_SUM = 2 ** 53;

/** An operand and its peak over the output dimensions on which either depends: rows of `length` integers. */
export interface Grid {
  /** `rows · length` integers. */
  readonly values: Float64Array;
  /** Exponent E of each row. */
  readonly exponents: Int16Array;
  /** Row number for a multi-index: Σ i_d · rowStrides_d. */
  readonly rowStrides: readonly number[];
}

export function quantiseRows(
  operand: Operand,
  words: Uint32Array,
  peak: Operand,
  peakWords: Uint32Array,
  shape: readonly number[],
  length: number,
  bits: number,
): Grid {
  const kept = shape.map((_, d) => operand.strides[d] !== 0 || peak.strides[d] !== 0);
  const dimensions = shape.map((extent, d) => (kept[d] ? extent : 1));
  const rowStrides = new Array<number>(shape.length).fill(0);
  for (let d = shape.length - 1, stride = 1; d >= 0; d--) {
    if (kept[d]) rowStrides[d] = stride;
    stride *= dimensions[d]!;
  }
  const rows = addresses(operand.offset, dimensions, operand.strides);
  const peaks = addresses(peak.offset, dimensions, peak.strides);
  const numbers = numbersOf(operand.dtype, words);
  const step = operand.strides[shape.length]!;
  const values = new Float64Array(rows.length * length);
  const exponents = new Int16Array(rows.length);
  const limit = powerOfTwo(bits);
  for (let row = 0, at = 0; row < rows.length; row++) {
    const exponent = peakExponent(peakWords[peaks[row]!]!);
    exponents[row] = exponent;
    const perUnit = powerOfTwo(bits - exponent);
    for (let k = 0, address = rows[row]!; k < length; k++, at++, address += step) {
      const x = numbers[address]!;
      values[at] = Number.isNaN(x) ? 0 : quantiseNumber(x, perUnit, limit);
    }
  }
  return { values, exponents, rowStrides };
}

/** RN32(sum · 2^exponent): both factors are exact in binary64, their product is, and storing it as a float32 rounds once. */
export function scaled(sum: number, exponent: number): number {
  return sum * powerOfTwo(exponent);
}

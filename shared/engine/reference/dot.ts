/** Dot over whole tensors. Every partial sum fits a binary64 number exactly, so the order of additions is free. */
import { type DotOperator, wordCount } from "../../program/descriptor.ts";
import { EXACT_SUM, quantiseRows, scaled } from "./grid.ts";
import { addresses, canonicalWords } from "./view.ts";

export function dotIsExact({ length, bits }: DotOperator): boolean {
  return length * 2 ** (2 * bits) <= EXACT_SUM;
}

export function dotTensor(operator: DotOperator, operands: readonly Uint32Array[]): Uint32Array {
  const { shape, length, bits } = operator;
  const [a, b, peakA, peakB] = operator.operands;
  const left = quantiseRows(a, operands[0]!, peakA, operands[2]!, shape, length, bits);
  const right = quantiseRows(b, operands[1]!, peakB, operands[3]!, shape, length, bits);
  const leftRows = addresses(0, shape, left.rowStrides);
  const rightRows = addresses(0, shape, right.rowStrides);
  const output = new Float32Array(wordCount(shape));
  for (let i = 0; i < output.length; i++) {
    const x = leftRows[i]!;
    const y = rightRows[i]!;
    const sum = contract(left.values, x * length, right.values, y * length, length);
    output[i] = scaled(sum, left.exponents[x]! + right.exponents[y]! - 2 * bits);
  }
  return canonicalWords(output);
}

function contract(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let even = 0;
  let odd = 0;
  let k = 0;
  for (; k + 1 < length; k += 2) {
    even += a[aStart + k]! * b[bStart + k]!;
    odd += a[aStart + k + 1]! * b[bStart + k + 1]!;
  }
  if (k < length) even += a[aStart + k]! * b[bStart + k]!;
  return even + odd;
}

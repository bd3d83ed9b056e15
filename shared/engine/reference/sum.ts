/** Sum and SumByIndex over whole tensors. Every partial sum fits a binary64 number exactly. */
import { type SumByIndexOperator, type SumOperator, wordCount } from "../../program/descriptor.ts";
import { EXACT_SUM, quantiseRows, scaled } from "./grid.ts";
import { addresses, canonicalWords } from "./view.ts";

export function sumIsExact({ length, bits }: SumOperator | SumByIndexOperator): boolean {
  return length * 2 ** bits <= EXACT_SUM;
}

export function sumTensor(operator: SumOperator, operands: readonly Uint32Array[]): Uint32Array {
  const { shape, length, bits } = operator;
  const [x, peak] = operator.operands;
  const grid = quantiseRows(x, operands[0]!, peak, operands[1]!, shape, length, bits);
  const rows = addresses(0, shape, grid.rowStrides);
  const output = new Float32Array(wordCount(shape));
  for (let i = 0; i < output.length; i++) {
    const row = rows[i]!;
    let sum = 0;
    for (let at = row * length; at < (row + 1) * length; at++) sum += grid.values[at]!;
    output[i] = scaled(sum, grid.exponents[row]! - bits);
  }
  return canonicalWords(output);
}

/** Whether x, its peak and the index are the same for every position on the axis, so that each k lands in one row. */
export function scatters({ axis, operands }: SumByIndexOperator): boolean {
  return operands.every((operand) => operand.strides[axis] === 0);
}

/** Requires `scatters`. */
export function sumByIndexTensor(operator: SumByIndexOperator, operands: readonly Uint32Array[]): Uint32Array {
  const { shape, length, bits, axis } = operator;
  const [x, peak, index] = operator.operands;
  const grid = quantiseRows(x, operands[0]!, peak, operands[1]!, shape, length, bits);
  const across = shape.map((extent, d) => (d === axis ? 1 : extent));
  const rows = addresses(0, across, grid.rowStrides);
  const indices = addresses(index.offset, across, index.strides);
  const words = operands[2]!;
  const contiguous = shape.map((_, d) => wordCount(shape.slice(d + 1)));
  const targets = addresses(0, across, contiguous);
  const sums = new Float64Array(wordCount(shape));
  for (let i = 0; i < rows.length; i++) {
    let at = rows[i]! * length;
    for (let k = 0, where = indices[i]!; k < length; k++, at++, where += index.strides[shape.length]!) {
      const row = words[where]! | 0;
      if (row >= 0 && row < shape[axis]!) sums[targets[i]! + row * contiguous[axis]!]! += grid.values[at]!;
    }
  }
  const output = new Float32Array(sums.length);
  const all = addresses(0, shape, grid.rowStrides);
  for (let i = 0; i < sums.length; i++) output[i] = scaled(sums[i]!, grid.exponents[all[i]!]! - bits);
  return canonicalWords(output);
}

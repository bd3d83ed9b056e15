/** Join over whole tensors. */
import { canonical } from "../../numerics/float32.ts";
import { Dtype, type JoinOperator, operandShape, wordCount } from "../../program/descriptor.ts";
import { rowMajorStrides } from "../../program/view.ts";
import { addresses } from "./view.ts";

/** Whether the ranges lie one behind another inside the dimension, as `joinTensor` requires. */
export function rangesFit({ shape, axis, ranges }: JoinOperator): boolean {
  let end = 0;
  for (const { start, extent } of ranges) {
    if (start < end || extent === 0) return false;
    end = start + extent;
  }
  return end <= shape[axis]!;
}

export function joinTensor(operator: JoinOperator, operands: readonly Uint32Array[]): Uint32Array {
  const { shape, axis, ranges, dtype } = operator;
  const output = new Uint32Array(wordCount(shape));
  const strides = rowMajorStrides(shape);
  for (const [at, operand] of operator.operands.entries()) {
    const words = operands[at]!;
    const lengths = operandShape(operator, at);
    const from = addresses(operand.offset, lengths, operand.strides);
    const to = addresses(ranges[at]!.start * strides[axis]!, lengths, strides);
    for (let i = 0; i < from.length; i++) {
      const word = words[from[i]!]!;
      output[to[i]!] = dtype === Dtype.float32 ? canonical(word) : word;
    }
  }
  return output;
}

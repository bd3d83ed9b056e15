/** Join: operands side by side along one dimension, zero between them (docs/numerics.md, section 2.11). Twin of `contracts/rules/Join.sol`. */
import { canonical } from "../numerics/float32.ts";
import { Dtype, type JoinOperator } from "../program/descriptor.ts";
import { addressAt, multiIndex, operandLine } from "./address.ts";
import type { Read } from "./read.ts";

/** The operand that holds an element and the address that it is read at, or null where it is 0: in a gap, or outside the operand. */
export function joinSource(
  { shape, axis, ranges, operands }: JoinOperator,
  element: number,
): { readonly operand: number; readonly address: number } | null {
  const index = multiIndex(shape, element);
  const place = index[axis]!;
  const operand = ranges.findIndex(({ start, extent }) => place >= start && place < start + extent);
  if (operand < 0) return null;
  index[axis] = place - ranges[operand]!.start;
  const address = addressAt(operandLine(operands[operand]!, index), 0);
  return address === null ? null : { operand, address };
}

/** The word of one element, canonical when the output is float32. */
export function joinElement(operator: JoinOperator, element: number, read: Read): number {
  const source = joinSource(operator, element);
  const word = source === null ? 0 : read(source.operand, source.address);
  return operator.dtype === Dtype.float32 ? canonical(word) : word;
}

/** Gather: copies words of the table row that an index names (docs/numerics.md, section 2.8). Twin of `contracts/rules/Gather.sol`. */
import { canonical } from "../numerics/float32.ts";
import { Dtype, type GatherOperator } from "../program/descriptor.ts";
import { addressAt, multiIndex, operandLine } from "./address.ts";
import { type Read, readWord } from "./read.ts";

/** The address in the table that an element copies, or null when it is 0: the index or the address lies outside. */
export function gatherAddress(operator: GatherOperator, element: number, read: Read): number | null {
  const multi = multiIndex(operator.shape, element);
  const [table, rows] = operator.operands;
  const row = readWord(read, 1, operandLine(rows, multi), 0) | 0;
  if (row < 0 || row >= operator.rows) return null;
  return addressAt({ ...operandLine(table, multi), stride: operator.rowStride }, row);
}

/** The word of one element, canonical when the output is float32. */
export function gatherElement(operator: GatherOperator, element: number, read: Read): number {
  const address = gatherAddress(operator, element, read);
  const word = address === null ? 0 : read(0, address);
  return operator.dtype === Dtype.float32 ? canonical(word) : word;
}

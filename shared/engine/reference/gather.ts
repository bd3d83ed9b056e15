/** Gather over whole tensors. The table's addresses are checked one by one, as they depend on data. */
import { canonical } from "../../numerics/float32.ts";
import { Dtype, type GatherOperator, wordCount } from "../../program/descriptor.ts";
import { addresses } from "./view.ts";

/** Requires that the table's view without the row, and the index, stay inside. */
export function gatherTensor(operator: GatherOperator, operands: readonly Uint32Array[]): Uint32Array {
  const { shape, rowStride, rows } = operator;
  const [table, index] = operator.operands;
  const [tableWords, indexWords] = operands as [Uint32Array, Uint32Array];
  const bases = addresses(table.offset, shape, table.strides);
  const where = addresses(index.offset, shape, index.strides);
  const output = new Uint32Array(wordCount(shape));
  for (let i = 0; i < output.length; i++) {
    const row = indexWords[where[i]!]! | 0;
    if (row < 0 || row >= rows) continue;
    const word = tableWords[bases[i]! + row * rowStride] ?? 0;
    output[i] = operator.dtype === Dtype.float32 ? canonical(word) : word;
  }
  return output;
}

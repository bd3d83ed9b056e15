/** Batch: words of the samples that the committed order draws for this step (docs/numerics.md, section 2.9). Twin of `contracts/rules/Batch.sol`. */
import { canonical } from "../numerics/float32.ts";
import { sampleAt } from "../numerics/sampleOrder.ts";
import { type BatchOperator, Dtype } from "../program/descriptor.ts";
import { multiIndex } from "./address.ts";
import type { Read, StepPosition } from "./read.ts";

/** The dataset row and the word within it that an element copies, or null when it is 0: past the sample, or no samples. */
export function batchAddress(
  operator: BatchOperator,
  element: number,
  position: StepPosition,
): { readonly row: number; readonly address: number } | null {
  const [batchRow, column] = multiIndex(operator.shape, element) as [number, number];
  const address = operator.offset + column;
  if (position.sampleCount === 0 || address >= position.sampleWords) return null;
  const { seed, step, sampleCount } = position;
  return {
    row: sampleAt(operator.order, seed, { step, rows: operator.shape[0]!, row: batchRow }, sampleCount),
    address,
  };
}

/** The word of one element, canonical when the output is float32. */
export function batchElement(operator: BatchOperator, element: number, read: Read, position: StepPosition): number {
  const source = batchAddress(operator, element, position);
  const word = source === null ? 0 : read(source.row, source.address);
  return operator.dtype === Dtype.float32 ? canonical(word) : word;
}

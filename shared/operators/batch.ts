/** Batch: words of the samples that the committed order draws for this step (docs/numerics.md, section 2.9). Twin of `contracts/rules/Batch.sol`. */
import { canonical } from "../numerics/float32.ts";
import { sampler } from "../numerics/sampleOrder.ts";
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
  return { row: batchSamples(operator, position)(batchRow), address };
}

/** The dataset row that a row of the batch is; there must be samples. */
export function batchSamples(
  { order, shape }: BatchOperator,
  { seed, step, sampleCount }: StepPosition,
): (batchRow: number) => number {
  const sampleOf = sampler(order, seed, sampleCount);
  return (row) => sampleOf({ step, rows: shape[0]!, row });
}

/** The word of one element, canonical when the output is float32. */
export function batchElement(operator: BatchOperator, element: number, read: Read, position: StepPosition): number {
  const source = batchAddress(operator, element, position);
  const word = source === null ? 0 : read(source.row, source.address);
  return operator.dtype === Dtype.float32 ? canonical(word) : word;
}

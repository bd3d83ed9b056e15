/**
 * SumByIndex: adds each position into the output row that its index names, rounded once (docs/numerics.md, section 2.6); the gradient of
 * Gather. Twin of `contracts/rules/SumByIndex.sol`.
 */
import { ExactSum } from "../numerics/exactSum.ts";
import { peakExponent, quantise } from "../numerics/quantise.ts";
import type { SumByIndexOperator } from "../program/descriptor.ts";
import { multiIndex, operandLine } from "./address.ts";
import type { PartialValue } from "./partial.ts";
import { asNumber, type Read, readWord } from "./read.ts";

/** Σ quantise(x) over the k in [lo, hi) whose index is this element's position on the axis, and E − P. */
export function sumByIndexPartial(
  operator: SumByIndexOperator,
  element: number,
  lo: number,
  hi: number,
  read: Read,
): PartialValue {
  const index = multiIndex(operator.shape, element);
  const [x, peakOfX, rows] = operator.operands;
  const row = index[operator.axis]!;
  const xLine = operandLine(x, index);
  const rowLine = operandLine(rows, index);
  const peak = readWord(read, 1, operandLine(peakOfX, index), 0);
  const sum = new ExactSum();
  for (let k = lo; k < hi; k++) {
    if ((readWord(read, 2, rowLine, k) | 0) !== row) continue;
    sum.add(quantise(asNumber(x, readWord(read, 0, xLine, k)), peak, operator.bits));
  }
  return { value: sum.value, exponent: peakExponent(peak) - operator.bits };
}

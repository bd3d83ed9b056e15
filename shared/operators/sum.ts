/** Sum: a reduction of an operand on an integer grid, rounded once (docs/numerics.md, section 2.5). Twin of `contracts/rules/Sum.sol`. */
import { ExactSum } from "../numerics/exactSum.ts";
import { peakExponent, quantise } from "../numerics/quantise.ts";
import type { SumOperator } from "../program/descriptor.ts";
import { multiIndex, operandLine } from "./address.ts";
import type { PartialValue } from "./partial.ts";
import { asNumber, type Read, readWord } from "./read.ts";

/** Σ quantise(x) over k in [lo, hi), and E − P. */
export function sumPartial(operator: SumOperator, element: number, lo: number, hi: number, read: Read): PartialValue {
  const index = multiIndex(operator.shape, element);
  const [x, peakOfX] = operator.operands;
  const line = operandLine(x, index);
  const peak = readWord(read, 1, operandLine(peakOfX, index), 0);
  const sum = new ExactSum();
  for (let k = lo; k < hi; k++) sum.add(quantise(asNumber(x, readWord(read, 0, line, k)), peak, operator.bits));
  return { value: sum.value, exponent: peakExponent(peak) - operator.bits };
}

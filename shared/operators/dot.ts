/** Dot: a contraction of two operands on integer grids, rounded once (docs/numerics.md, section 2.4). Twin of `contracts/rules/Dot.sol`. */
import { ExactSum } from "../numerics/exactSum.ts";
import { peakExponent, quantise } from "../numerics/quantise.ts";
import type { DotOperator } from "../program/descriptor.ts";
import { multiIndex, operandLine } from "./address.ts";
import type { PartialValue } from "./partial.ts";
import { asNumber, type Read, readWord } from "./read.ts";

/** Σ quantise(a) · quantise(b) over k in [lo, hi), and EA + EB − 2P. */
export function dotPartial(operator: DotOperator, element: number, lo: number, hi: number, read: Read): PartialValue {
  const index = multiIndex(operator.shape, element);
  const [a, b, peakOfA, peakOfB] = operator.operands;
  const aLine = operandLine(a, index);
  const bLine = operandLine(b, index);
  const peakA = readWord(read, 2, operandLine(peakOfA, index), 0);
  const peakB = readWord(read, 3, operandLine(peakOfB, index), 0);
  const { bits } = operator;
  const sum = new ExactSum();
  for (let k = lo; k < hi; k++) {
    const x = quantise(asNumber(a, readWord(read, 0, aLine, k)), peakA, bits);
    const y = quantise(asNumber(b, readWord(read, 1, bLine, k)), peakB, bits);
    sum.add(x * y);
  }
  return { value: sum.value, exponent: peakExponent(peakA) + peakExponent(peakB) - 2 * bits };
}

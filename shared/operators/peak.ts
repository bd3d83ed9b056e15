/** Peak: the greatest magnitude, as it is or raised to a power of two (docs/numerics.md, section 2.7). Twin of `contracts/rules/Peak.sol`. */
import { abs, INFINITY, isNan } from "../numerics/float32.ts";
import type { PeakOperator } from "../program/descriptor.ts";
import { multiIndex, operandLine } from "./address.ts";
import type { PartialValue } from "./partial.ts";
import { asNumber, type Read, readWord } from "./read.ts";

/** 2^-40: mode 1 gives nothing smaller. */
export const PEAK_FLOOR = 0x2b800000;
const FRACTION = 0x7fffff;

/** The greatest |x| over k in [lo, hi) as a word; NaN counts as +infinity. */
export function peakPartial(operator: PeakOperator, element: number, lo: number, hi: number, read: Read): PartialValue {
  const [x] = operator.operands;
  const line = operandLine(x, multiIndex(operator.shape, element));
  let peak = 0;
  for (let k = lo; k < hi; k++) peak = Math.max(peak, magnitude(asNumber(x, readWord(read, 0, line, k))));
  return { value: BigInt(peak), exponent: 0 };
}

/** |x| as a word that orders as an integer; NaN is +infinity. */
export function magnitude(word: number): number {
  return isNan(word) ? INFINITY : abs(word);
}

/** The element for a maximum: itself in mode 0, in mode 1 the least power of two ≥ max(m, 2^-40), +infinity when there is no finite one. */
export function finishPeak(mode: 0 | 1, maximum: number): number {
  if (mode === 0) return maximum;
  const m = Math.max(maximum, PEAK_FLOOR);
  // Carrying a fraction into the exponent field gives the next power of two, or infinity after the last.
  return (m & FRACTION) === 0 ? m : (m & ~FRACTION) + FRACTION + 1;
}

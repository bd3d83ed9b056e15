/** What the reducing families have in common: the exact value of an element over a part of its reduced axis (docs/protocol.md, section 3). */
import { roundToFloat32 } from "../numerics/rounding.ts";

export interface PartialValue {
  /** Dot, Sum, SumByIndex: the exact integer sum. Peak: the maximum as a canonical, non-negative word. */
  readonly value: bigint;
  /** Power of two that scales the sum, the same for every part of an element; 0 for Peak. */
  readonly exponent: number;
}

/** The element that a whole sum stands for: RN32(value · 2^exponent), canonical. */
export function finishSum(value: bigint, exponent: number | bigint): number {
  const word = roundToFloat32(value, exponent);
  return word === 0x80000000 ? 0 : word;
}

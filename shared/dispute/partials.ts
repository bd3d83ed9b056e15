/** The exact values of a range's sixteen parts from one side's tensors. */

import { TouchstoneError } from "../errors.ts";
import { partialValue, type ReducingOperator } from "../operators/element.ts";
import type { PartialValue } from "../operators/partial.ts";
import type { Read } from "../operators/read.ts";
import type { Operator } from "../program/descriptor.ts";
import { partsOf, type Range } from "./parts.ts";

export class NotReducingError extends TouchstoneError {
  readonly code = "NOT_REDUCING";
  constructor(family: string) {
    super(`An element of a ${family} operator has no partial results.`);
  }
}

/** @throws NotReducingError for the families that have no partial results. */
export function asReducing(operator: Operator): ReducingOperator {
  switch (operator.family) {
    case "dot":
    case "sum":
    case "sumByIndex":
    case "peak":
      return operator;
    default:
      throw new NotReducingError(operator.family);
  }
}

/** Values of all sixteen parts of `range`, 0 where a part is empty, and the exponent that they share. */
export function partialValues(
  operator: ReducingOperator,
  element: number,
  range: Range,
  read: Read,
): { readonly exponent: number; readonly values: readonly bigint[] } {
  const parts: PartialValue[] = partsOf(range).map(({ lo, hi }) => partialValue(operator, element, lo, hi, read));
  return {
    exponent: parts[0]!.exponent,
    values: parts.map(({ value }) => value),
  };
}

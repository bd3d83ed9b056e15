/**
 * One element of any operator, and one part of an element that reduces: the specification in code. Twin of the dispatch in
 * `contracts/Referee.sol`; every function is total over decodable descriptors.
 */
import type { DotOperator, Operator, PeakOperator, SumByIndexOperator, SumOperator } from "../program/descriptor.ts";
import { batchElement } from "./batch.ts";
import { dotPartial } from "./dot.ts";
import { gatherElement } from "./gather.ts";
import { joinElement } from "./join.ts";
import { mapElement } from "./map.ts";
import { finishSum, type PartialValue } from "./partial.ts";
import { finishPeak, peakPartial } from "./peak.ts";
import { randomElement } from "./random.ts";
import type { Read, StepPosition } from "./read.ts";
import { scheduleElement } from "./schedule.ts";
import { sumPartial } from "./sum.ts";
import { sumByIndexPartial } from "./sumByIndex.ts";

export type ReducingOperator = DotOperator | SumOperator | SumByIndexOperator | PeakOperator;

/** The canonical word of output element `index` (row-major). */
export function element(operator: Operator, index: number, read: Read, position: StepPosition): number {
  switch (operator.family) {
    case "map":
      return mapElement(operator, index, read);
    case "gather":
      return gatherElement(operator, index, read);
    case "batch":
      return batchElement(operator, index, read, position);
    case "schedule":
      return scheduleElement(operator, read, position);
    case "join":
      return joinElement(operator, index, read);
    case "random":
      return randomElement(operator, index, position);
    default: {
      const { value, exponent } = partialValue(operator, index, 0, operator.length, read);
      return finish(operator, value, exponent);
    }
  }
}

/** The exact value of an element over k in [lo, hi). */
export function partialValue(
  operator: ReducingOperator,
  element: number,
  lo: number,
  hi: number,
  read: Read,
): PartialValue {
  switch (operator.family) {
    case "dot":
      return dotPartial(operator, element, lo, hi, read);
    case "sum":
      return sumPartial(operator, element, lo, hi, read);
    case "sumByIndex":
      return sumByIndexPartial(operator, element, lo, hi, read);
    case "peak":
      return peakPartial(operator, element, lo, hi, read);
  }
}

/** The value of a union of parts: the sum of theirs, or for Peak the greatest (0 of none). */
export function combine(operator: ReducingOperator, values: readonly bigint[]): bigint {
  if (operator.family === "peak") return values.reduce((most, value) => (value > most ? value : most), 0n);
  return values.reduce((sum, value) => sum + value, 0n);
}

/** The element's word that the value over the whole axis stands for. For Peak the value is a word 0 … 0x7f800000. */
export function finish(operator: ReducingOperator, value: bigint, exponent: number | bigint): number {
  return operator.family === "peak" ? finishPeak(operator.mode, Number(value)) : finishSum(value, exponent);
}

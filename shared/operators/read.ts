/** How element rules reach their operands. */
import { fromInt } from "../numerics/float32.ts";
import { Dtype, type Operand } from "../program/descriptor.ts";
import { addressAt, type Line } from "./address.ts";

/**
 * The word of an operand (by its position in the descriptor) at an address inside it. For Batch the first argument is the
 * dataset row and the address counts within the sample; for Schedule it is 0 and the address counts within the table. A
 * reference that does not exist reads 0 everywhere.
 */
export type Read = (operand: number, address: number) => number;

/** What Batch and Schedule depend on besides their descriptor. */
export interface StepPosition {
  readonly seed: bigint;
  /** Number of the step, from 0, over the whole run. */
  readonly step: number;
  /** Steps of the whole run: rows of the schedule table. */
  readonly steps: number;
  readonly sampleCount: number;
  readonly sampleWords: number;
  readonly scheduleWidth: number;
}

/** The word of an operand at reduced index k; 0 outside. */
export function readWord(read: Read, operand: number, line: Line, k: number): number {
  const address = addressAt(line, k);
  return address === null ? 0 : read(operand, address);
}

/** A word read as a number: int32 is converted by RN32, float32 is taken as it is. */
export function asNumber(operand: Operand, word: number): number {
  return operand.dtype === Dtype.int32 ? fromInt(word) : word;
}

/** Schedule: one column of this step's row in the schedule table (docs/numerics.md, section 2.10). Twin of `contracts/rules/Schedule.sol`. */
import { canonical } from "../numerics/float32.ts";
import type { ScheduleOperator } from "../program/descriptor.ts";
import type { Read, StepPosition } from "./read.ts";

/** The word of the table `[steps, width]`, or null past its end, where it is 0. */
export function scheduleAddress(operator: ScheduleOperator, position: StepPosition): number | null {
  const width = BigInt(position.scheduleWidth);
  const address = BigInt(position.step) * width + BigInt(operator.column);
  return address < BigInt(position.steps) * width ? Number(address) : null;
}

/** The canonical word, the same for every element. */
export function scheduleElement(operator: ScheduleOperator, read: Read, position: StepPosition): number {
  const address = scheduleAddress(operator, position);
  return address === null ? 0 : canonical(read(0, address));
}

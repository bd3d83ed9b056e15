/** What one step of a program reads besides its constants. */
import type { Tensor } from "./program.ts";

/** Outputs of the operators without operands: they depend on the step's number alone, and an engine takes them as inputs. */
export interface SourceOutputs {
  /** Of the batch operators, by operator index. */
  readonly batches: ReadonlyMap<number, Tensor>;
  /** Of the schedule operators, by operator index. */
  readonly schedule: ReadonlyMap<number, Tensor>;
  /** Of the random operators, by operator index; may be left out where there are none. */
  readonly random?: ReadonlyMap<number, Tensor>;
}

export interface StepInputs extends SourceOutputs {
  /** State before the step, in program order. */
  readonly state: readonly Tensor[];
}

/** The output of the source operator at `index`; undefined where there is none. */
export function sourceOutput({ batches, schedule, random }: SourceOutputs, index: number): Tensor | undefined {
  return batches.get(index) ?? schedule.get(index) ?? random?.get(index);
}

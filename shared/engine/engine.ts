/**
 * What every engine is: it steps a canonical program and, on demand, keeps every operator's output.
 * Two engines that pass the conformance self-test give the same words for the same inputs.
 */
import type { Tensor } from "../program/program.ts";

/** Everything one step reads besides the program's constants. */
export interface StepInputs {
  /** State before the step, in program order. */
  readonly state: readonly Tensor[];
  /** Outputs of the program's batch operators, by operator index. */
  readonly batches: ReadonlyMap<number, Tensor>;
  /** Outputs of the program's schedule operators, by operator index. */
  readonly schedule: ReadonlyMap<number, Tensor>;
}

export interface StepResult {
  readonly state: readonly Tensor[];
  /** The loss as a number; float32 value. */
  readonly loss: number;
  /** Largest magnitude that the step met (docs/numerics.md, section 4); the step is invalid above 2^20. */
  readonly guard: number;
}

/** A step with every operator's output, in program order, canonical words. */
export interface StepTrace extends StepResult {
  readonly outputs: readonly Tensor[];
}

export interface Engine {
  readonly name: string;
  step(inputs: StepInputs): Promise<StepResult>;
  trace(inputs: StepInputs): Promise<StepTrace>;
  close(): Promise<void>;
}

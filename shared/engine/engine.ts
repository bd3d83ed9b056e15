/**
 * What every engine is: it steps a canonical program and, on demand, keeps every operator's output.
 * Two engines that pass the conformance self-test give the same words for the same inputs.
 */
import type { Tensor } from "../program/program.ts";
import type { SourceOutputs, StepInputs } from "../program/stepInputs.ts";

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

/** Words `offset … offset + count − 1` of a state tensor. */
export interface StateRange {
  readonly tensor: number;
  readonly offset: number;
  readonly count: number;
}

/** What is known of one step of a `steps` call. */
export interface StepReport {
  readonly loss: number;
  readonly guard: number;
  /** The words asked for by `ranges`, canonical, in order; a range past the tensor's end is cut. */
  readonly words: readonly Uint32Array[];
}

/** Consecutive steps in one call, so that the state stays inside the engine between them. Steps are counted from 0 in the call. */
export interface StepsRequest {
  /** State before the first step. */
  readonly state: readonly Tensor[];
  readonly count: number;
  /** Called ahead of the steps, in order. */
  inputs(step: number): SourceOutputs | Promise<SourceOutputs>;
  /** Parts of the state after the step to report. */
  ranges?(step: number): readonly StateRange[];
  onStep?(step: number, report: StepReport): void;
  /** Interrupts between two steps; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface StepsResult {
  /** State after the last step, canonical words. */
  readonly state: readonly Tensor[];
  /** Largest guard of all steps. */
  readonly guard: number;
}

/** Version of this interface: of its methods, of what they promise, and of the specification that they compute by. */
export const ENGINE_INTERFACE = 1;

/** What an engine is and how it computes. */
export interface EngineDescription {
  readonly interface: typeof ENGINE_INTERFACE;
  /** Runtime, version and how it is run, for people. */
  readonly name: string;
  /** How the rules are realised that can be realised in several ways; the bits are the same. */
  readonly realisations: {
    readonly dot: readonly string[];
    readonly sum: string;
    readonly root: string;
  };
  /** Whether `steps` keeps the state inside the engine between steps. */
  readonly keepsState: boolean;
}

export interface Engine {
  readonly name: string;
  readonly description: EngineDescription;
  step(inputs: StepInputs): Promise<StepResult>;
  trace(inputs: StepInputs): Promise<StepTrace>;
  /** @throws InvalidStateError when the state is not one that a valid step leaves, InvalidStepError at the first step whose guard is above 2^20. */
  steps(request: StepsRequest): Promise<StepsResult>;
  close(): Promise<void>;
}

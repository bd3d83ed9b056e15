/** Where the sessions of an engine live: in this thread (`localHost.ts`) or in a worker (`workerHost.ts`). */
import type { Tensor } from "../program/program.ts";
import type { SourceOutputs, StepInputs } from "../program/stepInputs.ts";
import type { StateRange, StepReport, StepTrace } from "./engine.ts";
import type { KernelStep } from "./kernels/kernelSession.ts";
import type { RealisedStep } from "./realise/realise.ts";

/** A realised step that is loaded. Calls take effect in the order in which they are made. */
export interface HostedSession {
  /** Whether `run` can trace; else it takes a session of its own, of a traced step. */
  readonly traces: boolean;
  /** One step; the outputs are those of the operators, none unless the step is traced. */
  run(inputs: StepInputs, traced: boolean): Promise<StepTrace>;
  /** Puts a state into the session, for `advance`. */
  load(state: readonly Tensor[]): Promise<void>;
  /** One step from the session's state to the next. After an invalid step there is no state. */
  advance(inputs: SourceOutputs, ranges: readonly StateRange[]): Promise<StepReport>;
  /** Takes the state out. */
  unload(): Promise<readonly Tensor[]>;
}

/** A step as one ONNX model, or as a program for kernels. */
export type LoadableStep = RealisedStep | KernelStep;

export interface Host {
  readonly name: string;
  /** @throws EngineFailedError when the runtime does not load the model. */
  open(step: LoadableStep): Promise<HostedSession>;
  /** Ends a session; the host stays. */
  release(session: HostedSession): Promise<void>;
  close(): Promise<void>;
}

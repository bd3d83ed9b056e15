/** Sessions in this thread. A step of onnxruntime-node blocks it; see `workerHost.ts`. */
import { EngineClosedError } from "./errors.ts";
import type { Host, HostedSession, LoadableStep } from "./host.ts";
import { KernelSession, OutOfAddressesError } from "./kernels/kernelSession.ts";
import { realise } from "./realise/realise.ts";
import { type Runtime, StepSession } from "./session.ts";

export type LocalSession = StepSession | KernelSession;

/** A program that is too large for the addresses of kernels is stepped as one model. */
async function openStep(runtime: Runtime, step: LoadableStep): Promise<LocalSession> {
  if ("model" in step) return StepSession.open(runtime, step);
  try {
    return await KernelSession.open(runtime, step);
  } catch (error) {
    if (!(error instanceof OutOfAddressesError)) throw error;
    return StepSession.open(runtime, realise(step.program, { traced: false }));
  }
}

export class LocalHost implements Host {
  readonly #runtime: Runtime;
  readonly #sessions = new Set<LocalSession>();
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get name(): string {
    return this.#runtime.name;
  }

  async open(step: LoadableStep): Promise<LocalSession> {
    if (this.#closed) throw new EngineClosedError(this.name);
    const session = await openStep(this.#runtime, step);
    this.#sessions.add(session);
    return session;
  }

  async release(session: HostedSession): Promise<void> {
    const known = [...this.#sessions].find((candidate) => candidate === session);
    if (known !== undefined && this.#sessions.delete(known)) await known.release();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#sessions].map((session) => this.release(session)));
  }
}

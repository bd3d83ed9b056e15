/** Sessions in this thread. A step of onnxruntime-node blocks it; see `workerHost.ts`. */
import { EngineClosedError } from "./errors.ts";
import type { Host, HostedSession } from "./host.ts";
import type { RealisedStep } from "./realise/realise.ts";
import { type Runtime, StepSession } from "./session.ts";

export class LocalHost implements Host {
  readonly #runtime: Runtime;
  readonly #sessions = new Set<StepSession>();
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get name(): string {
    return this.#runtime.name;
  }

  async open(step: RealisedStep): Promise<StepSession> {
    if (this.#closed) throw new EngineClosedError(this.name);
    const session = await StepSession.open(this.#runtime, step);
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

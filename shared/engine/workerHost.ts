/** Sessions of ONNX Runtime in a worker thread, so that the caller's thread keeps its clocks and its network. */
import { Worker } from "node:worker_threads";
import type { Tensor } from "../program/program.ts";
import type { SourceOutputs, StepInputs } from "../program/stepInputs.ts";
import type { StateRange, StepReport, StepTrace } from "./engine.ts";
import { EngineClosedError, EngineFailedError } from "./errors.ts";

import type { Host, HostedSession, LoadableStep } from "./host.ts";

import type { Provider } from "./provider.ts";

/** What the worker runs. */
export interface WorkerRuntime {
  readonly name: string;
  readonly provider: Provider;
  readonly threads: number;
}

/** A call to the worker; `session` is 0 for `open`. */
export interface WorkerRequest {
  readonly id: number;
  readonly session: number;
  readonly method: "open" | "release" | Exclude<keyof HostedSession, "traces">;
  readonly args: readonly unknown[];
}

export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly problem: string };

/** What `open` answers. */
export interface OpenedSession {
  readonly number: number;
  readonly traces: boolean;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class WorkerHost implements Host {
  readonly name: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Why no more calls are taken. */
  #ended: Error | null = null;
  #calls = 0;

  constructor(runtime: WorkerRuntime) {
    const { name } = runtime;
    this.name = name;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: runtime });
    this.#worker.on("message", (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on("error", (cause) =>
      this.#end(new EngineFailedError(name, `its thread died (${cause})`, { cause })),
    );
    this.#worker.on("exit", () => this.#end(new EngineFailedError(name, "its thread ended")));
  }

  async open(step: LoadableStep): Promise<HostedSession> {
    return new WorkerSession(this, (await this.call(0, "open", [step])) as OpenedSession);
  }

  async release(session: HostedSession): Promise<void> {
    if (session instanceof WorkerSession) await this.call(session.number, "release", []);
  }

  async close(): Promise<void> {
    this.#end(new EngineClosedError(this.name));
    await this.#worker.terminate();
  }

  /** One call in the worker. */
  call(session: number, method: WorkerRequest["method"], args: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, session, method, args } satisfies WorkerRequest);
    });
  }

  #settle(reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("result" in reply) waiting?.resolve(reply.result);
    else waiting?.reject(new EngineFailedError(this.name, reply.problem));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

class WorkerSession implements HostedSession {
  readonly number: number;
  readonly traces: boolean;
  readonly #host: WorkerHost;

  constructor(host: WorkerHost, { number, traces }: OpenedSession) {
    this.#host = host;
    this.number = number;
    this.traces = traces;
  }

  run(inputs: StepInputs, traced: boolean): Promise<StepTrace> {
    return this.#host.call(this.number, "run", [inputs, traced]) as Promise<StepTrace>;
  }

  async load(state: readonly Tensor[]): Promise<void> {
    await this.#host.call(this.number, "load", [state]);
  }

  advance(inputs: SourceOutputs, ranges: readonly StateRange[]): Promise<StepReport> {
    return this.#host.call(this.number, "advance", [inputs, ranges]) as Promise<StepReport>;
  }

  unload(): Promise<readonly Tensor[]> {
    return this.#host.call(this.number, "unload", []) as Promise<readonly Tensor[]>;
  }
}

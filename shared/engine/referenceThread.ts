/**
 * The reference engine in a thread of its own, started when it is first needed: a step that diverged may take it hours, and the caller's thread
 * has clocks to keep in other tasks.
 */
import { Worker } from "node:worker_threads";
import type { Program } from "../program/program.ts";
import type { StepInputs } from "../program/stepInputs.ts";
import type { Engine, StepResult, StepTrace } from "./engine.ts";
import { EngineClosedError, EngineFailedError } from "./errors.ts";

export interface ReferenceRequest {
  readonly id: number;
  readonly method: "step" | "trace";
  readonly inputs: StepInputs;
}

export type ReferenceReply =
  | { readonly id: number; readonly result: StepResult }
  | { readonly id: number; readonly problem: string };

interface Waiting {
  resolve(result: StepResult): void;
  reject(error: Error): void;
}

const NAME = "reference";

export class ReferenceThread implements Pick<Engine, "step" | "trace" | "close"> {
  readonly #program: Program;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #calls = 0;
  #closed = false;

  constructor(program: Program) {
    this.#program = program;
  }

  step(inputs: StepInputs): Promise<StepResult> {
    return this.#call("step", inputs);
  }

  trace(inputs: StepInputs): Promise<StepTrace> {
    return this.#call("trace", inputs) as Promise<StepTrace>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#end(new EngineClosedError(NAME));
    await this.#worker?.terminate();
  }

  #call(method: "step" | "trace", inputs: StepInputs): Promise<StepResult> {
    if (this.#closed) return Promise.reject(new EngineClosedError(NAME));
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, method, inputs } satisfies ReferenceRequest);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./referenceWorker.ts", import.meta.url), { workerData: this.#program });
    worker.on("message", (reply: ReferenceReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("result" in reply) waiting?.resolve(reply.result);
      else waiting?.reject(new EngineFailedError(NAME, reply.problem));
    });
    const ended = (reason: string, cause?: unknown): void => {
      // The next call starts another.
      if (this.#worker === worker) this.#worker = null;
      this.#end(new EngineFailedError(NAME, reason, { cause }));
    };
    worker.on("error", (cause) => ended(`its thread died (${cause})`, cause));
    worker.on("exit", () => ended("its thread ended"));
    return worker;
  }

  #end(reason: Error): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

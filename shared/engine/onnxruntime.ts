/** The engine on onnxruntime-node (docs/numerics.md, section 5). */
import * as onnxruntime from "onnxruntime-node";
import type { Program } from "../program/program.ts";
import { HostedEngine } from "./hostedEngine.ts";
import { LocalHost } from "./localHost.ts";
import { WorkerHost } from "./workerHost.ts";

export interface EngineOptions {
  /** Threads of one kernel; the bits are the same for every number. Default 1. */
  readonly threads?: number;
  /** Runs in the caller's thread, which blocks during a step: for tests and short-lived tools. Default false. */
  readonly inThread?: boolean;
}

/** Starts the engine for a program, in a worker thread. */
export async function startOnnxRuntime(program: Program, options: EngineOptions = {}): Promise<HostedEngine> {
  const threads = options.threads ?? 1;
  const name = `onnxruntime-node ${onnxruntime.env.versions.node ?? ""} (${threads} threads)`;
  const host = options.inThread ? new LocalHost(name, onnxruntime, threads) : new WorkerHost(name, threads);
  try {
    return await HostedEngine.open(host, program);
  } catch (error) {
    await host.close();
    throw error;
  }
}

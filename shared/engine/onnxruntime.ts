/** The engine on onnxruntime-node (docs/numerics.md, section 5), in a worker thread. */
import { env } from "onnxruntime-node";
import type { Program } from "../program/program.ts";
import type { ConformanceReport } from "./conformance/conformance.ts";
import type { HostedEngine } from "./hostedEngine.ts";
import { startEngine, testHost } from "./start.ts";
import { WorkerHost } from "./workerHost.ts";

export interface EngineOptions {
  /** Threads of one kernel; the bits are the same for every number. Default 1. */
  readonly threads?: number;
}

/** @throws as `startEngine`. */
export function startOnnxRuntime(program: Program, options: EngineOptions = {}): Promise<HostedEngine> {
  return startEngine(openHost(options), program, "kernels");
}

/** The self-test alone. @throws EngineFailedError when the runtime does not load or run. */
export function onnxRuntimeConformance(options: EngineOptions = {}): Promise<ConformanceReport> {
  return testHost(openHost(options), "kernels");
}

function openHost({ threads = 1 }: EngineOptions): WorkerHost {
  return new WorkerHost(`onnxruntime-node ${env.versions.node} (threads: ${threads})`, threads);
}

/** The engine on onnxruntime-web's WebAssembly build: for browsers (best inside a worker, a step blocks its thread) and Node. */
import * as onnxruntime from "onnxruntime-web";
import type { Program } from "../program/program.ts";
import type { ConformanceReport } from "./conformance/conformance.ts";
import type { HostedEngine } from "./hostedEngine.ts";
import { LocalHost } from "./localHost.ts";
import { startEngine, testHost } from "./start.ts";

/** @throws as `startEngine`. */
export function startOnnxRuntimeWeb(program: Program): Promise<HostedEngine> {
  return startEngine(webHost(), program);
}

/** The self-test alone. @throws EngineFailedError when the runtime does not load or run. */
export function onnxRuntimeWebConformance(): Promise<ConformanceReport> {
  return testHost(webHost());
}

/** A host without the self-test. */
export function webHost(): LocalHost {
  const name = `onnxruntime-web ${onnxruntime.env.versions.web}`;
  return new LocalHost({ name, library: onnxruntime, threads: 1, fillsOutputs: false });
}

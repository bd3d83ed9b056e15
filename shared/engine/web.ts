/** The engine on onnxruntime-web in this thread, for browsers (best inside a web worker: a step blocks its thread). */
import type * as onnxruntime from "onnxruntime-web";
import type { Program } from "../program/program.ts";
import type { ConformanceReport } from "./conformance/conformance.ts";
import type { HostedEngine } from "./hostedEngine.ts";
import { LocalHost } from "./localHost.ts";
import { type DotOption, traitsOf } from "./provider.ts";
import { startEngine, testHost } from "./start.ts";

/** The build of onnxruntime-web that the page has loaded (`onnxruntime-web` or `onnxruntime-web/webgpu`), and how to use it. */
export interface WebOptions {
  readonly library: typeof onnxruntime;
  /** Default `wasm`. */
  readonly provider?: "wasm" | "webgpu";
  /** How Dot is realised. Default `auto`. */
  readonly dot?: DotOption;
}

/** @throws as `startEngine`. */
export function startOnnxRuntimeWeb(program: Program, options: WebOptions): Promise<HostedEngine> {
  const { provider = "wasm", dot = "auto" } = options;
  return startEngine(webHost(options), program, traitsOf(provider, dot));
}

/** The self-test alone. @throws EngineFailedError when the runtime does not load or run. */
export function onnxRuntimeWebConformance(options: WebOptions): Promise<ConformanceReport> {
  const { provider = "wasm", dot = "auto" } = options;
  return testHost(webHost(options), traitsOf(provider, dot));
}

/** A host without the self-test. */
export function webHost({ library, provider = "wasm" }: WebOptions): LocalHost {
  const name = `onnxruntime-web ${library.env.versions.web} ${provider}`;
  return new LocalHost({ name, library, provider, threads: 1, fillsOutputs: false });
}

/** The engine on ONNX Runtime (docs/numerics.md, section 5), in a worker thread, on any execution provider. */
import { env } from "onnxruntime-node";
import type { Program } from "../program/program.ts";
import type { ConformanceReport } from "./conformance/conformance.ts";
import { probeProgram } from "./conformance/program.ts";
import type { HostedEngine } from "./hostedEngine.ts";
import { type EngineOptions, type Provider, ProviderUnavailableError, traitsOf } from "./provider.ts";
import { realise } from "./realise/realise.ts";
import { startEngine, testHost } from "./start.ts";
import { WorkerHost } from "./workerHost.ts";

/** @throws ProviderUnavailableError, and as `startEngine`. */
export async function startOnnxRuntime(program: Program, options: EngineOptions = {}): Promise<HostedEngine> {
  const { provider = "cpu", dot = "auto" } = options;
  return await startEngine(await openHost(options), program, traitsOf(provider, dot));
}

/** The self-test alone. @throws ProviderUnavailableError, EngineFailedError when the runtime does not run. */
export async function onnxRuntimeConformance(options: EngineOptions = {}): Promise<ConformanceReport> {
  const { provider = "cpu", dot = "auto" } = options;
  return await testHost(await openHost(options), traitsOf(provider, dot));
}

/** A host whose provider has loaded a small model, without the self-test. @throws ProviderUnavailableError. */
export async function openHost({ provider = "cpu", threads = 1 }: EngineOptions = {}): Promise<WorkerHost> {
  const host = new WorkerHost({ name: `${await runtimeName(provider)} (threads: ${threads})`, provider, threads });
  try {
    await host.release(await host.open(realise(probeProgram(), { traced: false })));
    return host;
  } catch (error) {
    await host.close();
    throw new ProviderUnavailableError(provider, error);
  }
}

async function runtimeName(provider: Provider): Promise<string> {
  if (provider !== "wasm") return `onnxruntime-node ${env.versions.node} ${provider}`;
  try {
    const web = await import("onnxruntime-web");
    return `onnxruntime-web ${web.env.versions.web} wasm`;
  } catch (error) {
    throw new ProviderUnavailableError(provider, error);
  }
}

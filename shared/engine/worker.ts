/** The thread of `WorkerHost`: ONNX Runtime behind messages. Results are moved to the caller, not copied. */
import { parentPort, workerData } from "node:worker_threads";
import type { Tensor } from "../program/program.ts";
import type { SourceOutputs, StepInputs } from "../program/stepInputs.ts";
import type { StateRange } from "./engine.ts";

import { EngineFailedError } from "./errors.ts";
import type { LoadableStep } from "./host.ts";
import { startKernelThread } from "./kernelThreads.ts";
import { LocalHost, type LocalSession } from "./localHost.ts";
import type { OpenedSession, WorkerReply, WorkerRequest, WorkerRuntime } from "./workerHost.ts";

const { name, provider, threads } = workerData as WorkerRuntime;
const isWeb = provider === "wasm";
/** Loaded by the first call, so that calls report what fails. */
let loading: Promise<LocalHost> | undefined;
const sessions = new Map<number, LocalSession>();
let opened = 0;

async function loadHost(): Promise<LocalHost> {
  const library = isWeb ? await import("onnxruntime-web") : await import("onnxruntime-node");
  return new LocalHost({ name, library, provider, threads, fillsOutputs: !isWeb, startThread: startKernelThread });
}

async function perform({ session, method, args }: WorkerRequest): Promise<unknown> {
  loading ??= loadHost();
  const host = await loading;
  if (method === "open") {
    const session = await host.open(args[0] as LoadableStep);
    sessions.set(++opened, session);
    return { number: opened, traces: session.traces } satisfies OpenedSession;
  }
  const target = sessions.get(session)!;
  switch (method) {
    case "run":
      return target.run(args[0] as StepInputs, args[1] as boolean);
    case "load":
      return target.load(args[0] as readonly Tensor[]);
    case "advance":
      return target.advance(args[0] as SourceOutputs, args[1] as readonly StateRange[]);
    case "unload":
      return target.unload();
    case "release":
      sessions.delete(session);
      return host.release(target);
  }
}

/** The buffers of all tensors in a result, each once. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.byteLength === value.buffer.byteLength) found.add(value.buffer as ArrayBuffer);
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  visit(result);
  return [...found];
}

parentPort!.on("message", async (request: WorkerRequest) => {
  try {
    const result = await perform(request);
    parentPort!.postMessage({ id: request.id, result } satisfies WorkerReply, buffersOf(result));
  } catch (error) {
    const problem = error instanceof EngineFailedError ? error.problem : String(error);
    parentPort!.postMessage({ id: request.id, problem } satisfies WorkerReply);
  }
});

/** What the page runs: a verifier's replay of one segment, from the task's package in a store to the state's root. */
import * as library from "onnxruntime-web";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { getTaskPackage } from "../../shared/data/taskPackage.ts";
import { startOnnxRuntimeWeb } from "../../shared/engine/web.ts";
import { segmentSteps, sourceOutputs } from "../../shared/job/job.ts";
import type { Training } from "../../shared/job/training.ts";
import { HttpStore } from "../../shared/store/http.ts";
import type { ContentId } from "../../shared/store/store.ts";

export interface ReplayRequest {
  readonly store: string;
  readonly manifest: ContentId;
  readonly training: Training;
  readonly provider: "wasm" | "webgpu";
  /** Steps of the segment to run; all of them unless the device is too slow. */
  readonly steps?: number;
}

export interface ReplayResult {
  readonly root: string;
  readonly losses: readonly number[];
  readonly engine: string;
  readonly userAgent: string;
  /** Checks of the self-test that the session began with. */
  readonly checks: number;
}

async function replayFirstSegment(request: ReplayRequest): Promise<ReplayResult> {
  library.env.wasm.wasmPaths = "/onnxruntime/";
  library.env.wasm.numThreads = 1;
  const { job, initialState } = await getTaskPackage(new HttpStore(request.store), request.manifest, request.training);
  const engine = await startOnnxRuntimeWeb(job.program, { library, provider: request.provider });
  const losses: number[] = [];
  const { state } = await engine.steps({
    state: initialState,
    count: request.steps ?? segmentSteps(job, 0).stepCount,
    inputs: (step) => sourceOutputs(job, step),
    onStep: (_, { loss }) => losses.push(loss),
  });
  const { name: runtime, conformance } = engine;
  const { userAgent } = navigator;
  return { root: stateRoot(state), losses, engine: runtime, userAgent, checks: conformance!.checks.length };
}

Object.assign(globalThis, { replayFirstSegment });

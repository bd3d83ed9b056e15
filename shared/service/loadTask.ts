/** A posted task with everything that it binds, fetched and verified, and an engine that runs its program. */
import type { Hex } from "viem";
import { Run } from "../dispute/run.ts";
import type { Engine } from "../engine/engine.ts";
import { startOnnxRuntime } from "../engine/onnxruntime.ts";
import { ReferenceThread } from "../engine/referenceThread.ts";
import { TotalEngine } from "../engine/total.ts";
import { TouchstoneError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import type { Tensor } from "../program/program.ts";
import { contentIdOfBytes32 } from "../store/contentId.ts";
import type { ServiceContext } from "./context.ts";
import { loadInThread } from "./loadThread.ts";
import type { BookedTask, PostedSpec } from "./marketBook.ts";

export interface LoadedTask {
  readonly taskId: Hex;
  readonly spec: PostedSpec;
  readonly job: Job;
  readonly run: Run;
  readonly initialState: readonly Tensor[];
  readonly engine: Engine;
}

/** Whatever goes wrong with another's task is a reason to leave it, never to end. */
export class TaskUnloadableError extends TouchstoneError {
  readonly code = "TASK_UNLOADABLE";
  constructor(taskId: Hex, cause: unknown) {
    super(`Task ${taskId} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
      remedy: "Leave it; if you posted it, run 'touchstone plan' on its task file.",
    });
  }
}

/** With a signal, loading ends when a program does. */
type LoadContext = Pick<ServiceContext, "store" | "engine"> & Partial<Pick<ServiceContext, "signal">>;

/**
 * Fetches a task's package, compares it with every commitment of the task, and checks that the program is well-formed and all
 * inputs are within the bounds that make its arithmetic the same everywhere. The engine follows the rules where a run diverges, too.
 * @throws PackageRefusedError with the code of what is wrong with the package, PackageHeavyError, the store's errors, EngineFailedError, the signal's
 * reason, and TaskUnloadableError for anything that a hostile package makes fail elsewhere.
 */
export async function loadTask(context: LoadContext, booked: Pick<BookedTask, "taskId" | "spec">): Promise<LoadedTask> {
  try {
    return await load(context, booked);
  } catch (error) {
    if (context.signal?.aborted === true) throw error;
    throw error instanceof TouchstoneError ? error : new TaskUnloadableError(booked.taskId, error);
  }
}

async function load(
  { store, engine: options, signal }: LoadContext,
  { taskId, spec }: Pick<BookedTask, "taskId" | "spec">,
): Promise<LoadedTask> {
  const { job, initialState } = await loadInThread(store, contentIdOfBytes32(spec.manifest), spec.training, signal);
  const engine = new TotalEngine(await startOnnxRuntime(job.program, options), new ReferenceThread(job.program));
  return { taskId, spec, job, run: new Run(job), initialState, engine };
}

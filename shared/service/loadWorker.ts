/** The thread of `loadThread.ts`. */
import { parentPort } from "node:worker_threads";
import { getTaskPackage } from "../data/taskPackage.ts";
import { TouchstoneError } from "../errors.ts";
import type { Training } from "../job/training.ts";
import { requireWellFormedJob } from "../job/validate.ts";
import type { ContentId } from "../store/store.ts";
import type { CheckedPackage, LoadOrder, LoadReply } from "./loadThread.ts";

const port = parentPort!;
/** Contents that the caller's store was asked for. */
const asked = new Map<ContentId, (bytes: Uint8Array) => void>();

const store = {
  get: (id: ContentId): Promise<Uint8Array> =>
    new Promise((resolve) => {
      asked.set(id, resolve);
      port.postMessage({ kind: "get", id } satisfies LoadReply);
    }),
};

async function load(manifest: ContentId, training: Training): Promise<CheckedPackage> {
  const { job, initialState } = await getTaskPackage(store, manifest, training);
  requireWellFormedJob(job, initialState);
  return { job, initialState };
}

/** They are moved to the caller, not copied. */
function buffersOf({ job, initialState }: CheckedPackage): ArrayBuffer[] {
  const all = [job.samples, job.schedule, ...[...job.program.constants, ...initialState].map(({ words }) => words)];
  return [...new Set(all.map(({ buffer }) => buffer as ArrayBuffer))];
}

port.on("message", async (order: LoadOrder) => {
  if (order.kind === "content") {
    const resolve = asked.get(order.id);
    asked.delete(order.id);
    resolve?.(order.bytes);
    return;
  }
  try {
    const checked = await load(order.manifest, order.training);
    port.postMessage({ kind: "loaded", checked } satisfies LoadReply, buffersOf(checked));
  } catch (error) {
    const refused =
      error instanceof TouchstoneError
        ? { code: error.code, message: error.message, remedy: error.remedy }
        : { code: null, message: error instanceof Error ? error.message : String(error), remedy: undefined };
    port.postMessage({ kind: "refused", ...refused } satisfies LoadReply);
  }
});

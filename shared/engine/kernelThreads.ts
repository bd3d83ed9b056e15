/** Threads of Node for the kernels of one session. */
import { Worker } from "node:worker_threads";
import { abandon, type CrewData, type CrewThread } from "./kernels/crew.ts";

export function startKernelThread(data: CrewData): CrewThread {
  const worker = new Worker(new URL("./kernelWorker.ts", import.meta.url), { workerData: data });
  // A thread that does not start is not missed: the others take its pieces. One that traps has said so.
  worker.on("error", () => undefined);
  worker.on("exit", () => abandon(data));
  worker.unref();
  return {
    close: async () => {
      await worker.terminate();
    },
  };
}

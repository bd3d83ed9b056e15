/** The thread that `kernelThreads.ts` starts. */
import { workerData } from "node:worker_threads";
import { type CrewData, serve } from "./kernels/crew.ts";

serve(workerData as CrewData);

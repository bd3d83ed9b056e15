/** The thread of `referenceThread.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import type { Program } from "../program/program.ts";
import { ReferenceEngine } from "./reference.ts";
import type { ReferenceReply, ReferenceRequest } from "./referenceThread.ts";

const port = parentPort!;
const engine = new ReferenceEngine(workerData as Program);

port.on("message", async ({ id, method, inputs }: ReferenceRequest) => {
  let reply: ReferenceReply;
  try {
    reply = { id, result: await engine[method](inputs) };
  } catch (error) {
    reply = { id, problem: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});

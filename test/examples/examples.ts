/** The examples by name, and what each one's task file compiles to. */
import path from "node:path";
import { listExamples, prepareExample } from "../../requester/demo/examples.ts";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Names of all examples: the folders of `examples/` that hold a task file. */
export const EXAMPLES: readonly string[] = listExamples();

/** The task of an example as the demo posts it; makes the example's data first. Takes a second or two. */
export async function exampleTask(name: string): Promise<PreparedTask> {
  return await prepareTask(path.join(ROOT, prepareExample(name)));
}

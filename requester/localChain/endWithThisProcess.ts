import type { ChildProcess } from "node:child_process";

const children = new Set<ChildProcess>();
let registered = false;

/** Kills the child when this process exits, whatever the reason that lets it run its exit handlers. */
export function endWithThisProcess(child: ChildProcess): void {
  if (!registered) process.once("exit", killAll);
  registered = true;
  children.add(child);
  child.once("exit", () => children.delete(child));
}

function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

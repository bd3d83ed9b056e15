/** Ends a service in order when it is asked to: SIGINT and SIGTERM. */
import type { ExitCode, Output } from "../cli.ts";
import { TouchstoneError } from "../errors.ts";

export class ShutdownError extends TouchstoneError {
  readonly code = "SHUTDOWN";
  constructor(signal: string) {
    super(`Stopped by ${signal}.`, { remedy: "Start it again with the same --data-dir to go on." });
  }
}

/** A signal that is aborted by SIGINT or SIGTERM; a second one ends the process at once. */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => controller.abort(new ShutdownError(name)));
  }
  return controller.signal;
}

/** Runs a service and sets the exit code. @param stopped the code when it was asked to end. */
export async function withShutdown(
  signal: AbortSignal,
  stopped: () => ExitCode,
  output: Output,
  run: () => Promise<ExitCode>,
): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    output.event("stopped", {}, (signal.reason as Error).message);
    process.exitCode = stopped();
  }
}

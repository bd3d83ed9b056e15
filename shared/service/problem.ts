/** What a service says of trouble that it will try to overcome. */
import type { Output } from "../cli.ts";
import { TouchstoneError } from "../errors.ts";

/** @param chore what was being done. */
export function reportProblem(output: Output, chore: string, error: unknown): void {
  const known = error instanceof TouchstoneError;
  const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  output.event("problem", { chore, code: known ? error.code : "INTERNAL", message });
  output.note(`${chore}: ${message} It will be tried again.`);
}

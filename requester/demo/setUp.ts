/** What must be true before the demo can start, timed for its report: the installation and the compiled contracts. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { TouchstoneError } from "../../shared/errors.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export class CompilationError extends TouchstoneError {
  readonly code = "COMPILATION";
}

/** Seconds that the last installation took, or null where it was not recorded. */
export function installSeconds(): number | null {
  const file = path.join(ROOT, "node_modules/.touchstone-install.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { seconds: number | null }).seconds : null;
}

/** Compiles the contracts if they are not, and returns the seconds that it took. @throws CompilationError. */
export function compileContracts(): number {
  const started = performance.now();
  const hardhat = path.join(ROOT, "node_modules/.bin/hardhat");
  const { status, stderr } = spawnSync(process.execPath, [hardhat, "compile", "--quiet"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new CompilationError(`The contracts do not compile.\n${stderr}`.trimEnd());
  return seconds(performance.now() - started);
}

/** Milliseconds as seconds with one decimal. */
export function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

/** Another program of this repository as a child process that reports by JSON lines (docs/cli.md). */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { TouchstoneError } from "../../shared/errors.ts";
import { endWithThisProcess } from "../localChain/endWithThisProcess.ts";

/** One line of a program's standard output. */
export interface ProgramEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export class ProgramFailedError extends TouchstoneError {
  readonly code = "PROGRAM_FAILED";
}

const ROOT = path.resolve(import.meta.dirname, "../..");
const KEPT_ERROR_OUTPUT = 4000;

export type ProgramName = "requester" | "solver" | "verifier";

export class ProgramProcess {
  readonly name: string;
  readonly events: ProgramEvent[] = [];
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  readonly ended: Promise<number | null>;
  #exitCode: number | null | undefined;
  #errorOutput = "";

  /**
   * @param name how messages call the process.
   * @param program the folder of the program.
   * @param environment added to this process's own; the place for keys.
   */
  constructor(
    name: string,
    program: ProgramName,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.name = name;
    this.#child = spawn(process.execPath, [path.join(ROOT, program, "cli.ts"), ...args, "--json"], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithThisProcess(this.#child);
    this.#child.stderr?.on("data", (chunk) => {
      this.#errorOutput = (this.#errorOutput + chunk).slice(-KEPT_ERROR_OUTPUT);
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.events.push(parseEvent(line));
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code) => {
        this.#exitCode = code;
        this.#wake();
        resolve(code);
      });
    });
  }

  /**
   * The first event, past or to come, that `accept` takes.
   * @throws ProgramFailedError when the process ends without it.
   */
  async waitFor(what: string, accept: (event: ProgramEvent) => boolean): Promise<ProgramEvent> {
    for (let seen = 0; ; ) {
      for (; seen < this.events.length; seen++) {
        if (accept(this.events[seen]!)) return this.events[seen]!;
      }
      if (this.#exitCode !== undefined) {
        const error = this.events.find(({ event }) => event === "error");
        throw new ProgramFailedError(
          `${this.name} ended with exit code ${this.#exitCode} before ${what}: ${JSON.stringify(error ?? this.events.at(-1) ?? null)}\n${this.#errorOutput}`.trimEnd(),
        );
      }
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  get hasEnded(): boolean {
    return this.#exitCode !== undefined;
  }

  /** Sends the signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#exitCode === undefined) this.#child.kill(signal);
    await this.ended;
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

function parseEvent(line: string): ProgramEvent {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null && "event" in parsed) return parsed as ProgramEvent;
  } catch {
    // Not ours: kept as text, so that nothing a program says is lost.
  }
  return { event: "text", text: line };
}

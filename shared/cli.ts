/**
 * What the three programs have in common on the command line: exit codes, `--json`, and how an error is told (docs/cli.md).
 */
import { type Command, CommanderError } from "commander";
import { TouchstoneError } from "./errors.ts";

export const ExitCode = { done: 0, failure: 1, usage: 2, faultFound: 3 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Of the three programs: that of package.json. */
export const VERSION = "0.1.0";

/** The program was called wrongly. */
class UsageError extends TouchstoneError {
  readonly code = "USAGE";
  constructor(error: CommanderError, program: Command) {
    super(withVariables(program, error.message.replace(/^error: /, "")), {
      cause: error,
      remedy: "--help explains every option.",
    });
  }
}

/** Where a program's results go: JSON lines for programs, sentences for people. */
export interface Output {
  readonly json: boolean;
  /** A result or an event: a JSON line under `--json`; otherwise the sentence, if there is one. */
  event(event: string, fields?: Readonly<Record<string, unknown>>, sentence?: string): void;
  /** A sentence for people, on standard error; nothing under `--json`. */
  note(sentence: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    event(event, fields = {}, sentence) {
      if (json) process.stdout.write(`${jsonLine({ event, ...fields })}\n`);
      else if (sentence !== undefined) process.stdout.write(`${sentence}\n`);
    },
    note(sentence) {
      if (!json) process.stderr.write(`${sentence}\n`);
    },
  };
}

/** One line of JSON; big integers as decimal strings. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => (typeof field === "bigint" ? field.toString() : field));
}

/**
 * Runs a program: parses, executes the chosen command, tells errors in one way, and sets the exit code.
 * A command may set `process.exitCode` itself (to `ExitCode.faultFound`).
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  forEachCommand(program, (command) => {
    command.exitOverride().showHelpAfterError("(--help explains every option)");
    command.configureOutput({ outputError: (message, write) => write(withVariables(program, message)) });
  });
  const json = argv.includes("--json");
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
      // Commander has told people already.
      if (json && error.exitCode !== 0) reportError(new UsageError(error, program), json);
      return;
    }
    reportError(error, json);
    process.exitCode = ExitCode.failure;
  }
}

/** An error as one message; a bug (anything not thrown on purpose) with its stack. */
export function reportError(error: unknown, json: boolean): void {
  const known = error instanceof TouchstoneError;
  if (json) {
    const { code, message, remedy } = known
      ? error
      : {
          code: "INTERNAL",
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
          remedy: undefined,
        };
    process.stdout.write(`${jsonLine({ event: "error", error: { code, message, remedy } })}\n`);
  } else if (known) {
    process.stderr.write(`error: ${error.message}\n`);
  } else {
    process.stderr.write(`internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

/** Of an option that is missing, also the variable of the environment that may give it. */
function withVariables(program: Command, message: string): string {
  return message.replace(/required option '([^']+)' not specified/, (said, flags: string) => {
    let variable: string | undefined;
    forEachCommand(program, ({ options }) => {
      variable ??= options.find((option) => option.flags === flags)?.envVar;
    });
    return variable === undefined ? said : `${said}, nor ${variable} in the environment`;
  });
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}

/** `touchstone-solver`: trains tasks for pay. */
import { Command, InvalidArgumentError, Option } from "commander";
import { createOutput, ExitCode, runProgram, VERSION } from "../shared/cli.ts";
import {
  addEngineOptions,
  addProgramOptions,
  type EngineCommandOptions,
  engineOptions,
  openProgram,
  type ProgramOptions,
  parseBytes32,
} from "../shared/programOptions.ts";
import { shutdownSignal, withShutdown } from "../shared/service/shutdown.ts";
import { CHEATS, cheatByName } from "./cheats/catalogue.ts";
import { work } from "./service.ts";

interface WorkOptions extends ProgramOptions, EngineCommandOptions {
  readonly dataDir: string;
  readonly task?: `0x${string}`;
  readonly once?: boolean;
  readonly minPrice: bigint;
  readonly fromBlock: bigint;
  readonly cheat?: string;
  readonly cheatSeed: bigint;
  readonly cheatReport?: string;
  readonly json?: boolean;
}

const program = new Command("touchstone-solver")
  .description("Trains models for pay: takes a task, commits checkpoints on-chain, answers disputes.")
  .version(VERSION)
  .showSuggestionAfterError();

addEngineOptions(addProgramOptions(program.command("work")))
  .description("Take a task, train it, commit every checkpoint, answer disputes, collect the pay.")
  .option("--task <id>", "only this task; else the first one that verifies and that this machine can do", parseBytes32)
  .addOption(
    new Option("--min-price <n>", "leave tasks that pay less to others, in the token's smallest unit")
      .argParser(parseWhole)
      .default(1n, "1"),
  )
  .option("--once", "end when the task has ended: 0 settled, 3 convicted, 1 any other failure")
  .option("--data-dir <dir>", "journal, so that the program resumes after an interruption", ".touchstone/solver")
  .addOption(
    new Option("--from-block <n>", "no later than the deployment's block").argParser(parseWhole).default(0n, "0"),
  )
  .addOption(
    new Option("--cheat <name>", "DRILL: commit this fault under your own bond, and lose it").choices(
      CHEATS.map(({ name }) => name),
    ),
  )
  .addOption(new Option("--cheat-seed <n>", "where the fault is put").argParser(parseWhole).default(1n, "1"))
  .option("--cheat-report <file>", "write the fault that was put in, as JSON")
  .addHelpText(
    "after",
    `
Before it stakes the bond the solver fetches the task's package, commits to every part of it again and compares
with the task, checks that the program is well-formed and that all data is within its bounds, and times a few steps
against the task's windows. Interrupted, it goes on from its last checkpoint: the bits are the same.

The key is taken from TOUCHSTONE_KEY or --key-file; the account needs the bond in the market's token, and coin for gas.

Drills (--cheat):
${CHEATS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}

Example:
  TOUCHSTONE_KEY=0x… touchstone-solver work --rpc http://127.0.0.1:8545 --market 0x… --store ./store --once`,
  )
  .action(async (options: WorkOptions) => {
    const output = createOutput(options.json === true);
    const cheat =
      options.cheat === undefined
        ? {}
        : {
            cheat: {
              cheat: cheatByName(options.cheat),
              seed: options.cheatSeed,
              ...(options.cheatReport === undefined ? {} : { report: options.cheatReport }),
            },
          };
    const signal = shutdownSignal();
    await withShutdown(
      signal,
      () => (options.once === true ? ExitCode.failure : ExitCode.done),
      output,
      async () => {
        const { dataDir } = options;
        const context = {
          ...(await openProgram(options)),
          ...{ output, signal, dataDir, engine: engineOptions(options) },
        };
        return work(context, {
          once: options.once === true,
          minimumPrice: options.minPrice,
          fromBlock: options.fromBlock,
          ...(options.task === undefined ? {} : { task: options.task }),
          ...cheat,
        });
      },
    );
  });

program
  .command("cheats")
  .description("List the drills of work --cheat.")
  .option("--json", "one JSON object on standard output")
  .action(({ json }: { readonly json?: boolean }) => {
    const cheats = CHEATS.map(({ name, summary, needs = null }) => ({ name, summary, needs }));
    const lines = cheats.map(
      ({ name, summary, needs }) => `${name.padEnd(18)} ${summary}${needs === null ? "" : ` (needs ${needs})`}`,
    );
    createOutput(json === true).event("cheats", { cheats }, lines.join("\n"));
  });

function parseWhole(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return BigInt(text);
}

await runProgram(program);

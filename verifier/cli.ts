/** `touchstone-verifier`: replays what others trained, and challenges what differs. */
import { Command, InvalidArgumentError, Option } from "commander";
import { isAddress } from "viem";
import { createOutput, ExitCode, runProgram, VERSION } from "../shared/cli.ts";
import { keyOf, philox4x32 } from "../shared/numerics/philox.ts";
import {
  addChainOptions,
  addEngineOptions,
  addProgramOptions,
  addStoreOption,
  type ChainOptions,
  type EngineCommandOptions,
  engineOptions,
  openChain,
  openProgram,
  type ProgramOptions,
  parseBytes32,
} from "../shared/programOptions.ts";
import { shutdownSignal, withShutdown } from "../shared/service/shutdown.ts";
import { openStore } from "../shared/store/open.ts";
import type { Below } from "./falseAccuser.ts";
import { leave } from "./leave.ts";
import { work } from "./service.ts";
import { challenge, replay } from "./single.ts";

interface Common extends EngineCommandOptions {
  readonly fromBlock: bigint;
  readonly json?: boolean;
}

interface WorkOptions extends ProgramOptions, Common {
  readonly dataDir: string;
  readonly seats: number;
  readonly watch: "drawn" | "all";
  readonly task?: `0x${string}`;
  readonly once?: boolean;
}

interface ReplayOptions extends ChainOptions, Common {
  readonly store: string;
  readonly task: `0x${string}`;
  readonly segment: number;
}

interface ChallengeOptions extends ProgramOptions, Common {
  readonly dataDir: string;
  readonly task: `0x${string}`;
  readonly segment: number;
  readonly defendant?: `0x${string}`;
  readonly falseAccusation?: boolean;
  readonly seed: bigint;
}

interface LeaveOptions extends ProgramOptions {
  readonly dataDir: string;
  readonly fromBlock: bigint;
  readonly json?: boolean;
}

const program = new Command("touchstone-verifier")
  .description("Replays what solvers trained, attests it for pay, and challenges what differs.")
  .version(VERSION)
  .showSuggestionAfterError();

addEngineOptions(addProgramOptions(program.command("work")))
  .description("Hold seats, replay the segments that they are drawn for, seal and reveal digests, challenge faults.")
  .addOption(new Option("--seats <n>", "seats to hold; missing ones are joined").argParser(parseIndex).default(0))
  .addOption(
    new Option("--watch <what>", "replay the drawn segments, or all").choices(["drawn", "all"]).default("drawn"),
  )
  .option("--task <id>", "only this task", parseBytes32)
  .option("--once", "with --task: end when the task has ended")
  .option("--data-dir <dir>", "journal, so that the program resumes after an interruption", ".touchstone/verifier")
  .addOption(fromBlockOption())
  .addHelpText(
    "after",
    `
A verifier is paid for each digest that it reveals, and a quarter of the stake of whoever it convicts. Its seats are
the stake behind its own word: a wrong digest is disputed like a wrong checkpoint. Seals are kept in --data-dir
until they are revealed; losing them loses the fee.

Exit code 3 when a fault was found.

Example:
  TOUCHSTONE_KEY=0x… touchstone-verifier work --rpc http://127.0.0.1:8545 --market 0x… --store ./store --seats 2`,
  )
  .action(async (options: WorkOptions) => {
    const output = createOutput(options.json === true);
    const signal = shutdownSignal();
    const { dataDir, seats, task, fromBlock } = options;
    let stopped: ExitCode = ExitCode.done;
    await withShutdown(
      signal,
      () => stopped,
      output,
      async () =>
        work(
          { ...(await openProgram(options)), output, signal, dataDir, engine: engineOptions(options) },
          {
            seats,
            watchAll: options.watch === "all",
            once: options.once === true,
            fromBlock,
            onFault: () => {
              stopped = ExitCode.faultFound;
            },
            ...(task === undefined ? {} : { task }),
          },
        ),
    );
  });

addEngineOptions(addStoreOption(addChainOptions(program.command("replay"))))
  .description("Replay one committed segment. Needs no key.")
  .requiredOption("--task <id>", "the task", parseBytes32)
  .addOption(new Option("--segment <n>", "the segment, from 0").argParser(parseIndex).makeOptionMandatory())
  .addOption(dataDirOption())
  .addOption(fromBlockOption())
  .addHelpText("after", "\nExit code 0 when it ends in the committed checkpoint, 3 when it does not.")
  .action(async (options: ReplayOptions) => {
    const output = createOutput(options.json === true);
    const signal = shutdownSignal();
    await withShutdown(
      signal,
      () => ExitCode.failure,
      output,
      async () => {
        const store = openStore(options.store);
        const engine = engineOptions(options);
        return replay({ ...(await openChain(options)), store, output, signal, engine }, options);
      },
    );
  });

addEngineOptions(addProgramOptions(program.command("challenge")))
  .description("Challenge one segment, or one verifier's attestation of it, and play the dispute to its end.")
  .requiredOption("--task <id>", "the task", parseBytes32)
  .addOption(new Option("--segment <n>", "the segment, from 0").argParser(parseIndex).makeOptionMandatory())
  .option("--defendant <address>", "a verifier that attested the segment; else the solver", parseAddress)
  .option("--false-accusation", "DRILL: challenge without a case, lie as long as the rules allow, and lose the bond")
  .addOption(new Option("--seed <n>", "choices of the drill").argParser(parseWhole).default(1n, "1"))
  .addOption(dataDirOption())
  .addOption(fromBlockOption())
  .addHelpText(
    "after",
    `
The segment is replayed first; where nothing differs the command refuses, since the bond would be lost.
Exit code 0 when the defendant is convicted, 3 when the challenger is.`,
  )
  .action(async (options: ChallengeOptions) => {
    const output = createOutput(options.json === true);
    const signal = shutdownSignal();
    await withShutdown(
      signal,
      () => ExitCode.failure,
      output,
      async () => {
        const { dataDir, task, segment, fromBlock, defendant } = options;
        const context = {
          ...(await openProgram(options)),
          ...{ output, signal, dataDir, engine: engineOptions(options) },
        };
        return challenge(context, {
          task,
          segment,
          fromBlock,
          ...(defendant === undefined ? {} : { defendant }),
          ...(options.falseAccusation === true ? { lie: seededBelow(options.seed) } : {}),
        });
      },
    );
  });

addProgramOptions(program.command("leave"))
  .description("Leave all seats, and withdraw the stake of those whose exit delay is over.")
  .addOption(dataDirOption())
  .addOption(fromBlockOption())
  .addHelpText(
    "after",
    `
A seat that leaves is in no later draw. Its stake stays for the exit delay (one day), and as long as an attestation of it
can be disputed. Exit code 0 when no stake is left behind, 1 when the command is to be given again later.`,
  )
  .action(async (options: LeaveOptions) => {
    const output = createOutput(options.json === true);
    const signal = shutdownSignal();
    await withShutdown(
      signal,
      () => ExitCode.failure,
      output,
      async () => {
        const { dataDir, fromBlock } = options;
        return leave({ ...(await openProgram(options)), output, signal, dataDir, engine: {} }, fromBlock);
      },
    );
  });

function fromBlockOption(): Option {
  return new Option("--from-block <n>", "no later than the deployment's block").argParser(parseWhole).default(0n, "0");
}

/** Taken by every command, so that one set of options serves all; these commands keep no journal. */
function dataDirOption(): Option {
  return new Option("--data-dir <dir>").default(".touchstone/verifier").hideHelp();
}

function seededBelow(seed: bigint): Below {
  let counter = 0;
  return (bound) => Math.floor((philox4x32([counter++, 0, 0, 0], keyOf(seed))[0] / 2 ** 32) * bound);
}

function parseIndex(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function parseWhole(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return BigInt(text);
}

function parseAddress(text: string): `0x${string}` {
  if (!isAddress(text, { strict: false })) throw new InvalidArgumentError("It must be an address.");
  return text;
}

await runProgram(program);

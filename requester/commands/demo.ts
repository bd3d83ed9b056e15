import { randomInt } from "node:crypto";
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ExitCode, jsonLine } from "../../shared/cli.ts";
import { type CheatSummary, listCheats, UnknownCheatError } from "../demo/cheats.ts";
import { DEFAULT_EXAMPLE, prepareExample, typicalCheat } from "../demo/examples.ts";
import { compileContracts, installSeconds, seconds } from "../demo/setUp.ts";

interface DemoCommandOptions {
  readonly chain: "hardhat" | "anvil" | URL;
  readonly cheat?: string;
  readonly example: string;
  readonly seed: number;
  readonly listCheats?: boolean;
  readonly json?: boolean;
}

const SEED_LIMIT = 2 ** 31;

export function addDemo(program: Command): void {
  program
    .command("demo")
    .summary("an honest run, a false accuser and a cheat, on a local chain")
    .description(
      "Starts a local chain and separate processes for requester, solver and verifiers. They train a model that writes Solidity;\n" +
        "a false accuser loses its bond; a cheating solver is convicted by one number. Everything random follows from the seed.",
    )
    .option("--chain <chain>", "hardhat, anvil, or the URL of a development node", parseChain, "hardhat" as const)
    .option("--example <name>", "the folder of examples/ to play", DEFAULT_EXAMPLE)
    .option("--cheat <name>", "the cheat to play (default: one that is typical of the example, or drawn by the seed)")
    .option("--seed <n>", "seed of the cheat, its place, and the accused segment", parseSeed, randomInt(SEED_LIMIT))
    .option("--list-cheats", "list the catalogue and end")
    .option("--json", "only a JSON object, as the last line")
    .action(runDemoCommand);
}

async function runDemoCommand(options: DemoCommandOptions): Promise<void> {
  const { seed, chain, json = false } = options;
  // An interrupted demo takes its chain and programs with it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(ExitCode.failure));
  const catalogue = await listCheats();
  if (options.listCheats) {
    const lines = catalogue.map(
      ({ name, summary, needs }) => `${name.padEnd(18)} ${summary}${needs === null ? "" : ` (needs ${needs})`}`,
    );
    console.log(json ? jsonLine(catalogue) : lines.join("\n"));
    return;
  }
  const cheat = chooseCheat(catalogue, options.cheat ?? typicalCheat(options.example), seed);
  const install = installSeconds();
  const compile = compileContracts();
  const started = performance.now();
  // Only now are the compiled contracts there to be loaded.
  const [{ runDemo }, { createReporter }] = await Promise.all([
    import("../demo/demo.ts"),
    import("../demo/reporter.ts"),
  ]);
  const reporter = createReporter((text) => console.log(text), json);
  if (!json) console.log(`seed ${seed}`);
  const folder = path.resolve(".touchstone/demo");
  const demoOptions = { chain, taskFile: prepareExample(options.example), cheat, seed, folder };
  const { honest, cheat: cheated, falseAccusation } = await runDemo(demoOptions, reporter);
  const demo = seconds(performance.now() - started);
  if (!json) {
    console.log(`\ninstallation ${install ?? "?"} s, compilation ${compile} s, demo ${demo} s; again: --seed ${seed}`);
    return;
  }
  const { transcript } = cheated;
  const { losses, measure, heldOutLoss, baseline, accuracy, parameters } = honest;
  console.log(
    jsonLine({
      seed,
      example: options.example,
      honest: {
        settled: true,
        finalLoss: losses.at(-1),
        heldOutLoss,
        measure,
        ...(baseline?.name === "bigram counts" ? { bigramLoss: baseline.loss } : {}),
        baseline,
        accuracy,
        steps: losses.length,
        parameters,
      },
      cheat: {
        name: cheat,
        injected: cheated.injected,
        convicted: transcript.defendantConvicted ? "solver" : "challenger",
        // The value of a range of an element's sum is decided the same way as the element.
        reason: transcript.reason === "partial" ? "element" : transcript.reason,
        located: cheated.located,
        rounds: transcript.rounds,
        transactions: transcript.transactions,
        gas: {
          total: Number(transcript.totalGas),
          adjudicate: Number(transcript.moves.at(-1)!.gas),
          byMove: Object.fromEntries([...transcript.gasByMove].map(([move, gas]) => [move, Number(gas)])),
        },
      },
      falseAccusation: { convicted: falseAccusation.transcript.defendantConvicted ? "solver" : "challenger" },
      seconds: { install, compile, demo },
    }),
  );
}

/** @throws UnknownCheatError */
function chooseCheat(catalogue: readonly CheatSummary[], name: string | undefined, seed: number): string {
  const names = catalogue.map((cheat) => cheat.name);
  if (name === undefined) {
    const everywhere = catalogue.filter(({ needs }) => needs === null);
    return everywhere[seed % everywhere.length]!.name;
  }
  if (!names.includes(name)) throw new UnknownCheatError(name, names);
  return name;
}

function parseChain(text: string): "hardhat" | "anvil" | URL {
  if (text === "hardhat" || text === "anvil") return text;
  if (!URL.canParse(text)) throw new InvalidArgumentError("It must be hardhat, anvil or a URL.");
  return new URL(text);
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) >= SEED_LIMIT)
    throw new InvalidArgumentError(`It must be an integer below ${SEED_LIMIT}.`);
  return Number(text);
}

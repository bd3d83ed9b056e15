/** `bench -- dispute`: whole disputes through the real contracts, played by the real players' code, and what each kind of move costs. */
import type { Command } from "commander";
import { accuse } from "../shared/dispute/challenger.ts";
import { defend } from "../shared/dispute/defendant.ts";
import { Run } from "../shared/dispute/run.ts";
import { lyingPartials } from "../solver/cheats/lyingPartials.ts";
import { largeRun, log2Operations, type RunSize } from "./disputes/largeRun.ts";
import { PUBLISHED } from "./disputes/published.ts";

export const SIZES: readonly RunSize[] = [
  { name: "the demo's", log2Steps: 4, log2Operators: 6, log2Words: 10, log2Length: 4 },
  { name: "a small model's", log2Steps: 8, log2Operators: 7, log2Words: 12, log2Length: 6 },
  { name: "a model of millions of parameters", log2Steps: 12, log2Operators: 8, log2Words: 16, log2Length: 6 },
  { name: "a thousand operators", log2Steps: 14, log2Operators: 10, log2Words: 20, log2Length: 6 },
  { name: "long segments", log2Steps: 16, log2Operators: 8, log2Words: 20, log2Length: 6 },
  { name: "long sums", log2Steps: 14, log2Operators: 8, log2Words: 16, log2Length: 12 },
];
/** What a dispute over 2^50 scalar operations may cost. */
export const GOAL = { log2Operations: 50, rounds: 14, gas: 1_500_000 } as const;
/** Moves of the defendant's side that publish what the challenger then chooses from: one a round. */
const OPENINGS: ReadonlySet<string> = new Set(["answer+open", "open", "openTile", "claimPartials"]);

export interface PlayedDispute {
  readonly name: string;
  readonly log2Operations: number;
  readonly rounds: number;
  readonly transactions: number;
  readonly gas: {
    readonly total: number;
    readonly adjudicate: number;
    /** All transactions of a kind together. */
    readonly byMove: { readonly [move: string]: number };
  };
  /** Number of transactions of each kind. */
  readonly moves: { readonly [move: string]: number };
}

export function addDispute(program: Command): void {
  program
    .command("dispute")
    .summary("whole disputes: rounds, transactions and gas by kind of move")
    .description(
      "Plays disputes over runs of several sizes through the real contracts on an in-process chain, both sides by the programs' own\n" +
        "code, from opening to conviction. Gas is that of receipts: the cost of a transaction itself is included, both sides together.",
    )
    .option("--small", "the two smallest runs only")
    .option("--json", "one JSON object on the last line")
    .action(async ({ small = false, json = false }: { small?: boolean; json?: boolean }) => {
      const disputes: PlayedDispute[] = [];
      for (const size of small ? SIZES.slice(0, 2) : SIZES) {
        const played = await playDispute(size);
        disputes.push(played);
        process.stdout.write(`${tableOf(played)}\n`);
      }
      process.stdout.write(comparison(disputes));
      if (json) process.stdout.write(`${JSON.stringify({ disputes })}\n`);
      // The chain in this process would keep it alive.
      const { connection } = await import("../test/contracts/support/arena.ts");
      await connection.close();
    });
}

/** Plays one dispute in a market that another has been opened in before, by a challenger who has opened none. */
export async function playDispute(size: RunSize): Promise<PlayedDispute> {
  // They start a chain, which other benchmarks do not need.
  const { deployArena, networkHelpers, wallets } = await import("../test/contracts/support/arena.ts");
  const { append, challenge, specOf, startTask, trainingOf } = await import("../test/contracts/support/task.ts");
  const { playGame } = await import("../test/endToEnd/gameOnChain.ts");
  const { job, initial, defendant, challenger } = await largeRun(size);
  const arena = await networkHelpers.loadFixture(deployArena);
  const training = trainingOf(job, initial);
  const start = async () => {
    const taskId = await startTask(arena, specOf(training));
    await append(arena, taskId, 0, defendant.endRoot);
    return taskId;
  };
  // The first dispute of all numbers the market in the game.
  await challenge(arena, await start(), 0, wallets.solver, training, wallets.stranger);
  const taskId = await start();
  const run = new Run(job);
  const { walk, moves, gasOf } = await playGame(
    arena,
    {
      defendant: {
        wallet: wallets.solver,
        move: (walk) => defend(run, defendant, walk, { claimPartials: lyingPartials }),
      },
      challenger: { wallet: wallets.challenger, move: (walk) => accuse(run, challenger, walk) },
    },
    taskId,
    0,
    training,
  );
  if (walk.outcome?.defendantConvicted !== true) throw new Error(`the liar is not convicted: ${moves.join(" ")}`);
  const byMove: Record<string, number> = {};
  const counts: Record<string, number> = {};
  for (const [at, move] of moves.entries()) {
    byMove[move] = (byMove[move] ?? 0) + gasOf[at]!;
    counts[move] = (counts[move] ?? 0) + 1;
  }
  return {
    name: size.name,
    log2Operations: log2Operations(size),
    rounds: moves.filter((move) => OPENINGS.has(move)).length,
    transactions: moves.length,
    gas: { total: gasOf.reduce((sum, gas) => sum + gas, 0), adjudicate: gasOf.at(-1)!, byMove },
    moves: counts,
  };
}

function tableOf({ name, log2Operations, rounds, transactions, gas, moves }: PlayedDispute): string {
  const rows = Object.entries(gas.byMove).map(([move, total]) => {
    const count = moves[move]!;
    const share = ((100 * total) / gas.total).toFixed(1);
    return `  ${move.padEnd(18)} ${String(count).padStart(3)} × ${thousands(total / count).padStart(7)} = ${thousands(total).padStart(9)}  ${share.padStart(5)} %`;
  });
  const goals =
    log2Operations < GOAL.log2Operations
      ? ""
      : `\n  goal: ${verdict(rounds, GOAL.rounds)} rounds, ${verdict(gas.total, GOAL.gas)} gas`;
  return (
    [
      `2^${log2Operations} scalar operations (${name}): ${rounds} rounds, ${transactions} transactions, ${thousands(gas.total)} gas`,
      ...rows,
    ].join("\n") + goals
  );
}

function verdict(actual: number, most: number): string {
  return actual <= most ? `met, ≤ ${thousands(most)}` : `missed (the shares are above), ≤ ${thousands(most)}`;
}

function comparison(disputes: readonly PlayedDispute[]): string {
  const largest = disputes.reduce((most, each) => (each.gas.total > most.gas.total ? each : most));
  return [
    "",
    "Others, measured once on their published contracts (without the 21,000 gas of each transaction):",
    ...PUBLISHED.map(
      ({ name, source, round, adjudicate, total }) =>
        `  ${name}: ${total} a dispute, ${round}, adjudication ${adjudicate}\n    ${source}`,
    ),
    `  Touchstone: at most ${thousands(largest.gas.total)} here, adjudication ${thousands(largest.gas.adjudicate)}`,
    "",
  ].join("\n");
}

function thousands(gas: number): string {
  return Math.round(gas).toLocaleString("en-US");
}

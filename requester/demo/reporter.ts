/** What people see of the demo. */
import { formatUnits } from "viem";
import type { Reason } from "../../shared/dispute/events.ts";
import { parameterCount } from "../parameterCount.ts";
import type { PreparedTask } from "../prepare.ts";
import { plotCurve } from "../terminal/plot.ts";
import type { CheatedRun } from "./cheatedRun.ts";
import type { HonestResult } from "./demo.ts";
import { drawGas, drawWalk } from "./drawWalk.ts";
import type { FalseAccusation } from "./falseAccusation.ts";
import type { Role, Stage } from "./stage.ts";

type Balances = ReadonlyMap<Role, bigint>;

export interface Reporter {
  /** Whether progress bars are left out, too. */
  readonly silent: boolean;
  stage(stage: Stage, prepared: PreparedTask): void;
  part(number: number, title: string): void;
  attested(counts: { readonly replays: number; readonly attestations: number }): void;
  accused(accusation: FalseAccusation, before: Balances, after: Balances): void;
  settled(honest: HonestResult, balances: Balances): void;
  caught(cheated: CheatedRun, before: Balances, after: Balances): void;
}

/** What a dispute was decided by, in words. */
const DECIDED_BY: Readonly<Record<Reason, string>> = {
  timeout: "a clock that ran out",
  opening: "a word of the padding, which must be zero",
  element: "one number that the Referee computed",
  partial: "one partial sum that the Referee computed",
  store: "one number of the state, beside the same one of the trace",
  digest: "one leaf of the attested digest",
};

const PLOT = { width: 60, height: 8, title: "loss by step" };

/** Writes to `write`, a line or several at a time; with `silent` it says nothing. */
export function createReporter(write: (text: string) => void, silent: boolean): Reporter {
  const say = silent ? () => {} : write;
  return {
    silent,
    stage({ chain, deployment }, { task, data, taskPackage: { job } }) {
      const parameters = parameterCount(job.program);
      say(`chain ${chain.chainId}, market ${deployment.market}`);
      say(
        `task ${task.name}: ${group(parameters)} parameters, ${job.program.operators.length} operators a step, ${job.steps} steps, ` +
          `${group(job.samples.length / job.program.sample.words)} samples${data.text === null ? "" : `, ${data.text.tokenizer.size} tokens`}`,
      );
    },
    part(number, title) {
      say(`\n── ${number}. ${title} ${"─".repeat(Math.max(0, 70 - title.length))}`);
    },
    attested({ replays, attestations }) {
      say(
        `Verifiers replayed ${replays} segments and found every checkpoint equal; ${attestations} attestations under bond, sealed and revealed.`,
      );
    },
    accused({ segment, transcript }, before, after) {
      say(
        `The accuser disputes segment ${segment} and lies as long as it can. Convicted: the challenger, by ${DECIDED_BY[transcript.reason]}.`,
      );
      say(drawGas(transcript));
      say(drawBalances(after, before));
    },
    settled({ losses, samples, measure, heldOutLoss, baseline, accuracy, sample, modelFile }, balances) {
      say("\nThe task settles.");
      say(plotCurve(losses, PLOT));
      const counts = baseline === null ? "" : `, by ${baseline.name} ${baseline.loss.toFixed(3)}`;
      const right = accuracy === null ? "" : `; ${(100 * accuracy).toFixed(1)} % of the targets predicted`;
      say(`${measure} on ${samples} samples ${heldOutLoss.toFixed(3)}${counts}${right}`);
      if (sample !== null) say(`The model writes, after a held-out beginning:\n${sample.replace(/^/gm, "  │ ")}`);
      say(`model: ${modelFile}`);
      say(drawBalances(balances));
    },
    caught({ injected, located, choices, challenger, transcript }, before, after) {
      say("What the cheat did, by its own report, opened only now:");
      say(
        `    ${Object.entries(injected)
          .map(([key, value]) => `${key} ${value}`)
          .join(", ")}`,
      );
      say(`${challenger} got another checkpoint. At each node of the trees, the first child that differs:\n`);
      say(drawWalk(choices, located, { defendant: "the cheat", challenger }));
      if (located === null) say("  The cheat fell silent: its clock ran out.");
      say(`\nConvicted: the solver, by ${DECIDED_BY[transcript.reason]}.`);
      say(drawGas(transcript));
      say(drawBalances(after, before));
    },
  };
}

function drawBalances(balances: Balances, before?: Balances): string {
  const rows = [...balances].map(([role, balance]) => {
    const change = balance - (before?.get(role) ?? balance);
    const shown = change === 0n ? "" : `  (${change > 0n ? "+" : ""}${formatUnits(change, 18)})`;
    return `    ${role.padEnd(12)} ${formatUnits(balance, 18).padStart(10)} tokens${shown}`;
  });
  return rows.join("\n");
}

function group(value: number): string {
  return value.toLocaleString("en-US");
}

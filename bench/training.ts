/** `bench -- training`: a training step of the example network, beside the same network without exactness. */
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { prepareTask } from "../requester/prepare.ts";
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import type { Tensor } from "../shared/program/program.ts";
import { type Contender, median, race } from "./contender.ts";
import { mlpTraining } from "./mlpTraining.ts";
import { nativeContender } from "./native.ts";
import { findPyTorch, pytorchContender } from "./pytorch.ts";
import { touchstoneContender } from "./touchstone.ts";

const EXAMPLE = path.join(import.meta.dirname, "../examples/solidity-mlp/task.json");
const STEPS_OF_ROUND = 40;

interface TrainingOptions {
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly json?: boolean;
}

/** One network on one number of threads. Times are medians in milliseconds. */
export interface TrainingResult {
  readonly name: string;
  readonly threads: number;
  readonly batch: number;
  /** Steps between commitments. */
  readonly interval: number;
  readonly parameters: number;
  /** Steps that everybody trained. */
  readonly steps: number;
  /** A step of the engine as a solver uses it. */
  readonly touchstoneMs: number;
  /** A step of the same network in ONNX Runtime's own float32 operators, default optimisations. */
  readonly plainMs: number;
  /** A step in PyTorch, null where it is not installed. */
  readonly pytorchMs: number | null;
  readonly ratioPlain: number;
  readonly ratioPytorch: number | null;
  /** A commitment to the state. */
  readonly commitmentMs: number;
  /** Part of the time of an interval that its commitment takes. */
  readonly commitmentShare: number;
  /** Loss of the last step. */
  readonly losses: { readonly touchstone: number; readonly plain: number; readonly pytorch: number | null };
}

export function addTraining(program: Command): void {
  program
    .command("training")
    .summary("a training step beside native ONNX Runtime operators and PyTorch")
    .description(
      "Trains examples/solidity-mlp with this engine, in ONNX Runtime's own float32 operators and, where a python3 with torch is\n" +
        "found, in PyTorch: same batches, optimizer and threads, in turns. Prints milliseconds a step and what commitments add.",
    )
    .option("--threads <list>", "threads of a kernel; several with commas", parseCounts, [1])
    .option("--rounds <n>", `measured rounds of ${STEPS_OF_ROUND} steps each`, parseRounds, 10)
    .option("--json", "one JSON object on the last line")
    .action(async ({ threads, rounds, json = false }: TrainingOptions) => {
      const models: TrainingResult[] = [];
      for (const count of threads) models.push(await measure(count, rounds));
      process.stdout.write(json ? `${JSON.stringify({ models })}\n` : models.map(table).join("\n"));
    });
}

async function measure(threads: number, rounds: number): Promise<TrainingResult> {
  const { task, taskPackage } = await prepareTask(EXAMPLE);
  const { name, job, initialState } = taskPackage;
  const { batch, interval } = task.training;
  const optimizer = task.training.kind === "train" ? task.training.optimizer : null;
  if (optimizer?.kind !== "adamw") throw new RangeError("the contenders have AdamW only");
  const training = mlpTraining(job, initialState, optimizer);
  const python = findPyTorch();
  const contenders: Contender[] = [];
  const enter = <C extends Contender>(contender: C): C => {
    contenders.push(contender);
    return contender;
  };
  try {
    const touchstone = enter(await touchstoneContender(job, initialState, threads));
    enter(await nativeContender(training, threads));
    if (python !== null) enter(await pytorchContender(python, training, threads));
    const [own, plain, pytorch] = await race(contenders, rounds, STEPS_OF_ROUND);
    const commitmentMs = commitmentTime(touchstone.state);
    const touchstoneMs = own!.stepMs;
    return {
      ...{ name, threads, batch, interval, steps: (rounds + 1) * STEPS_OF_ROUND },
      parameters: training.parameters.reduce((sum, { values }) => sum + values.length, 0),
      touchstoneMs,
      plainMs: plain!.stepMs,
      pytorchMs: pytorch?.stepMs ?? null,
      ratioPlain: touchstoneMs / plain!.stepMs,
      ratioPytorch: pytorch === undefined ? null : touchstoneMs / pytorch.stepMs,
      commitmentMs,
      commitmentShare: commitmentMs / (interval * touchstoneMs + commitmentMs),
      losses: { touchstone: own!.loss, plain: plain!.loss, pytorch: pytorch?.loss ?? null },
    };
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

function commitmentTime(state: readonly Tensor[]): number {
  const times = Array.from({ length: 12 }, () => {
    const started = performance.now();
    stateRoot(state);
    return performance.now() - started;
  });
  // The first ones compile the hash functions.
  return median(times.slice(2));
}

function table(result: TrainingResult): string {
  const { name, parameters, batch, threads, steps, losses } = result;
  const row = (who: string, ms: number | null, ratio: number | null, loss: number | null): string =>
    ms === null
      ? `${who.padEnd(28)} not found\n`
      : `${who.padEnd(28)} ${ms.toFixed(2).padStart(8)} ${(ratio ?? 1).toFixed(2).padStart(9)} ${loss!.toFixed(6).padStart(12)}\n`;
  return (
    `${name}: ${parameters} parameters, batch ${batch}, ${threads} thread${threads === 1 ? "" : "s"}, ${steps} steps\n\n` +
    `${"".padEnd(28)}  ms/step touchstone×   last loss\n` +
    row("touchstone", result.touchstoneMs, null, losses.touchstone) +
    row("ONNX Runtime's own operators", result.plainMs, result.ratioPlain, losses.plain) +
    row("PyTorch", result.pytorchMs, result.ratioPytorch, losses.pytorch) +
    `\nA commitment to the state takes ${result.commitmentMs.toFixed(2)} ms, ${(100 * result.commitmentShare).toFixed(2)} % of the time at ` +
    `${result.interval} steps each.\n`
  );
}

function parseCounts(list: string): number[] {
  return list.split(",").map((text) => parseCount(text, 256));
}

/** Few enough rounds that the example has the steps. */
function parseRounds(text: string): number {
  return parseCount(text, 15);
}

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > most) {
    throw new InvalidArgumentError(`must be a whole number from 1 to ${most}`);
  }
  return count;
}

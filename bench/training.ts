/** `bench -- training`: training steps of several networks, each beside the same network without exactness. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import type { Tensor } from "../shared/program/program.ts";
import { type Breakdown, breakdown } from "./breakdown.ts";
import { type Contender, race } from "./contender.ts";
import { networks } from "./models/networks.ts";
import { nativeContender } from "./native/contender.ts";
import { findPyTorch, pytorchContender } from "./pytorch.ts";
import { touchstoneContender } from "./touchstone.ts";

interface TrainingOptions {
  readonly models: readonly string[];
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly json?: boolean;
}

/** One network on one number of threads. Times are the least of all rounds, in milliseconds. */
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
  /** By which part an interval is longer when the commitment before it is made meanwhile, as a solver makes it; measured in turns. */
  readonly commitmentShare: number;
  /** The same, if steps waited for it. */
  readonly commitmentShareInTurns: number;
  /** A step with every operator's output kept, as a dispute asks for, against a step. */
  readonly traceRatio: number;
  /** Most memory of a process that trains it, with this program and its runtime. */
  readonly peakMiB: number;
  readonly breakdown: Breakdown;
  /** Loss of the last step. */
  readonly losses: { readonly touchstone: number; readonly plain: number; readonly pytorch: number | null };
}

export function addTraining(program: Command): void {
  program
    .command("training")
    .summary("training steps beside native ONNX Runtime operators and PyTorch")
    .description(
      "Trains networks with this engine, in ONNX Runtime's own float32 operators and, where a python3 with torch is found, in\n" +
        "PyTorch: same batches, optimizer and threads, in turns. Prints milliseconds a step, where they go, and what commitments add.",
    )
    .option("--models <list>", `of ${[...networks.keys()].join(", ")}, with commas`, parseModels, [...networks.keys()])
    .option("--threads <list>", "threads of a kernel; several with commas", parseCounts, [1])
    .option("--rounds <n>", "measured rounds", parseRounds, 10)
    .option("--json", "one JSON object on the last line")
    .action(async ({ models: names, threads, rounds, json = false }: TrainingOptions) => {
      const models: TrainingResult[] = [];
      for (const name of names) {
        for (const count of threads) {
          const result = await measure(name, count, rounds);
          models.push(result);
          if (!json) process.stdout.write(`${table(result)}\n`);
        }
      }
      if (json) process.stdout.write(`${JSON.stringify({ models })}\n`);
    });
}

async function measure(name: string, threads: number, rounds: number): Promise<TrainingResult> {
  const training = networks.get(name)!();
  const { job, initialState, batch, interval, stepsOfRound } = training;
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
    const [own, plain, pytorch] = await race(contenders, rounds, stepsOfRound);
    const steps = (rounds + 1) * stepsOfRound;
    const touchstoneMs = own!.stepMs;
    const traceMs = await touchstone.traceMs(steps);
    const commitmentMs = commitmentTime(touchstone.state);
    const committing: Contender = {
      train: (first, count) => touchstone.trainCommitting(first, count),
      close: touchstone.close,
    };
    const [alone, beside] = await race([touchstone, committing], rounds, stepsOfRound);
    const delay = Math.max(0, beside!.stepMs - alone!.stepMs) * stepsOfRound;
    return {
      ...{ name, threads, batch, interval, steps },
      parameters: training.parameters.reduce((sum, { values }) => sum + values.length, 0),
      touchstoneMs,
      plainMs: plain!.stepMs,
      pytorchMs: pytorch?.stepMs ?? null,
      ratioPlain: touchstoneMs / plain!.stepMs,
      ratioPytorch: pytorch === undefined ? null : touchstoneMs / pytorch.stepMs,
      commitmentMs,
      commitmentShare: delay / (interval * alone!.stepMs + delay),
      commitmentShareInTurns: commitmentMs / (interval * alone!.stepMs + commitmentMs),
      traceRatio: traceMs / touchstoneMs,
      peakMiB: peak(name, threads),
      breakdown: await breakdown(training, threads),
      losses: { touchstone: own!.loss, plain: plain!.loss, pytorch: pytorch?.loss ?? null },
    };
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

function commitmentTime(state: readonly Tensor[]): number {
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now();
    stateRoot(state);
    return performance.now() - started;
  });
  // The first ones compile the hash functions.
  return Math.min(...times.slice(2));
}

function peak(name: string, threads: number): number {
  return Number(execFileSync(process.execPath, [path.join(import.meta.dirname, "peak.ts"), name, String(threads)]));
}

function table(result: TrainingResult): string {
  const { name, parameters, batch, threads, steps, losses } = result;
  const row = (who: string, ms: number | null, ratio: number | null, loss: number | null): string =>
    ms === null
      ? `${who.padEnd(28)} not found\n`
      : `${who.padEnd(28)} ${ms.toFixed(2).padStart(8)} ${(ratio ?? 1).toFixed(2).padStart(9)} ${loss!.toFixed(6).padStart(12)}\n`;
  const parts = Object.entries(result.breakdown).map(([kind, ms]) => `${kind} ${ms.toFixed(2)}`);
  return (
    `${name}: ${parameters} parameters, batch ${batch}, ${threads} thread${threads === 1 ? "" : "s"}, ${steps} steps\n\n` +
    `${"".padEnd(28)}  ms/step touchstone×   last loss\n` +
    row("touchstone", result.touchstoneMs, null, losses.touchstone) +
    row("ONNX Runtime's own operators", result.plainMs, result.ratioPlain, losses.plain) +
    row("PyTorch", result.pytorchMs, result.ratioPytorch, losses.pytorch) +
    `\nA step's milliseconds: ${parts.join(", ")}.\n` +
    `A commitment to the state takes ${result.commitmentMs.toFixed(2)} ms beside the next steps and adds ` +
    `${(100 * result.commitmentShare).toFixed(2)} % at ${result.interval} steps each (${(100 * result.commitmentShareInTurns).toFixed(2)} % if they waited); a traced step ${result.traceRatio.toFixed(1)} × a step; ` +
    `most memory ${result.peakMiB.toFixed(0)} MiB.\n`
  );
}

function parseModels(list: string): string[] {
  const names = list.split(",");
  const unknown = names.find((name) => !networks.has(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`has no network "${unknown}"`);
  return names;
}

function parseCounts(list: string): number[] {
  return list.split(",").map((text) => parseCount(text, 256));
}

function parseRounds(text: string): number {
  return parseCount(text, 60);
}

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > most) {
    throw new InvalidArgumentError(`must be a whole number from 1 to ${most}`);
  }
  return count;
}

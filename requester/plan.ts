/** What a task will take and what it secures, before it is posted: measured on this machine, computed from the task file. */
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import { encodeCheckpoint } from "../shared/data/checkpoint.ts";
import { datasetWarnings } from "../shared/data/warnings.ts";
import { minimalBond } from "../shared/economics/bonds.ts";
import { probabilityCaught, probabilityReplayed } from "../shared/economics/detection.ts";
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import type { EngineOptions } from "../shared/engine/provider.ts";
import { segmentCount, sourceOutputs } from "../shared/job/job.ts";
import type { StateRole } from "../shared/program/program.ts";
import { type Violation, violations } from "./marketRules.ts";
import { parameterCount } from "./parameterCount.ts";
import { escrowOf } from "./post.ts";
import type { PreparedTask } from "./prepare.ts";

export interface Plan {
  /** Numbers that the optimizer trains, and running statistics that the forward pass moves. */
  readonly parameters: number;
  readonly statistics: number;
  readonly operators: number;
  readonly segments: number;
  /** Tokens of a text: the classes that the model must have at least; null for other data. */
  readonly vocabulary: number | null;
  readonly samples: number;
  readonly heldOut: number;
  /** What looks wrong with the data and the model. */
  readonly warnings: readonly string[];
  /** Rules of the market that the task's terms violate. */
  readonly violations: readonly Violation[];
  /** Milliseconds, measured over a few steps here. */
  readonly stepMs: number;
  readonly commitmentMs: number;
  /** Share of the time between two checkpoints that hashing takes. */
  readonly commitmentShare: number;
  /** Seconds for the whole run and for one segment, by `stepMs`. */
  readonly runSeconds: number;
  readonly segmentSeconds: number;
  readonly checkpointBytes: number;
  readonly escrow: bigint;
  /** P that an honest verifier replays, and so catches, one bad segment; and that it does if every second one is bad. */
  readonly replayed: number;
  readonly caughtHalf: number;
  /** The bond above which a cheat in one segment does not pay, if nobody but drawn verifiers looks. */
  readonly deterrentBond: bigint | null;
}

export interface PlanAssumptions extends EngineOptions {
  /** Fraction of the verifier seats that honest verifiers hold. */
  readonly honest: number;
}

const WARM_UP_STEPS = 3;
const MEASURED_STEPS = 20;

/** Runs the first steps of the task on this machine's engine and reads the rest off the task file. */
export async function planTask(prepared: PreparedTask, { honest, ...options }: PlanAssumptions): Promise<Plan> {
  const { task, taskPackage, data } = prepared;
  const { job, initialState } = taskPackage;
  const engine = await startOnnxRuntime(job.program, options);
  try {
    const run = (count: number) =>
      engine.steps({ state: initialState, count, inputs: (step) => sourceOutputs(job, step % job.steps) });
    await run(WARM_UP_STEPS);
    const stepMs = (await timed(() => run(MEASURED_STEPS))) / MEASURED_STEPS;
    stateRoot(initialState);
    const commitmentMs = await timed(async () => stateRoot(initialState));
    const { sampleRate, draws, price } = task.market;
    const segments = segmentCount(job);
    const replayed = probabilityReplayed(Math.round(sampleRate * 65536), draws, honest);
    const caughtHalf = probabilityCaught(replayed, Math.max(1, Math.floor(segments / 2)));
    return {
      parameters: parameterCount(job.program),
      statistics: wordsOf(prepared, "running"),
      operators: job.program.operators.length,
      segments,
      vocabulary: data.text?.tokenizer.size ?? null,
      samples: data.training.length / data.layout.words,
      heldOut: data.heldOut.length / data.layout.words,
      warnings: [...datasetWarnings(data, task.training.kind !== "inference"), ...prepared.warnings],
      violations: violations(task.market, null),
      stepMs,
      commitmentMs,
      commitmentShare: commitmentMs / (commitmentMs + job.interval * stepMs),
      runSeconds: (job.steps * stepMs) / 1000,
      segmentSeconds: (job.interval * stepMs) / 1000,
      checkpointBytes: encodeCheckpoint(job.program.state, initialState).length,
      escrow: escrowOf(task),
      replayed,
      caughtHalf,
      deterrentBond: replayed > 0 ? minimalBond(price, replayed) : null,
    };
  } finally {
    await engine.close();
  }
}

/** How many numbers of the state have a role. */
function wordsOf({ taskPackage: { job, initialState } }: PreparedTask, wanted: StateRole): number {
  return job.program.state.reduce(
    (sum, { role = "parameter" }, index) => sum + (role === wanted ? initialState[index]!.words.length : 0),
    0,
  );
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

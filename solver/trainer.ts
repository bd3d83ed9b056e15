/** Trains a task from its last checkpoint on, publishes and commits every checkpoint, and keeps the losses. */
import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { contractAbi } from "../shared/chain/contracts.ts";
import { ContractRevertError } from "../shared/chain/errors.ts";
import { stateRootInTurns } from "../shared/commitment/stateRoot.ts";
import { putCheckpoint } from "../shared/data/checkpoint.ts";
import { segmentCount } from "../shared/job/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import { createProgress, type Progress } from "../shared/progress.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { disputedSegments } from "../shared/service/evidenceShelf.ts";
import type { Journal } from "../shared/service/journal.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";
import type { BookedCheckpoint } from "../shared/service/marketBook.ts";
import type { MarketWatch } from "../shared/service/marketWatch.ts";
import { reportProblem } from "../shared/service/problem.ts";
import type { CheatingTracer } from "./cheats/cheatingTracer.ts";
import type { CheatOptions } from "./options.ts";
import { SolverRun } from "./run.ts";

/** Steps between two `step` events. */
const STEPS_PER_EVENT = 10;
/** Between two tries to commit a checkpoint. */
const RETRY_MILLISECONDS = 2000;

export interface TrainerParts {
  readonly context: ServiceContext;
  readonly watch: MarketWatch;
  readonly journal: Journal;
  readonly task: LoadedTask;
  readonly signal: AbortSignal;
  readonly cheat: { readonly tracer: CheatingTracer; readonly options: CheatOptions } | null;
}

export class Trainer {
  readonly run: SolverRun;
  readonly #parts: TrainerParts;
  readonly #losses: (number | undefined)[] = [];
  #progress: Progress | null = null;
  #isDone = false;
  #isReported = false;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    const { context, journal, task, signal, cheat, watch } = parts;
    const onStep = (step: number, loss: number): void => this.#onStep(step, loss);
    const disputed = () => disputedSegments(watch.book, task.taskId);
    this.run = new SolverRun(task, context.store, { cheat: cheat?.tracer ?? null, onStep, signal, disputed });
    for (const [key, losses] of journal.entries<number[]>(this.#key("losses:"))) {
      const segment = Number(key.slice(key.lastIndexOf(":") + 1));
      for (const [step, loss] of losses.entries()) this.#losses[segment * task.job.interval + step] = loss;
    }
  }

  /** Whether every checkpoint is committed. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Goes on from the last committed checkpoint to the end. May be called again after a failure. */
  async train(): Promise<void> {
    if (this.#isDone) return;
    const { context, task, watch, signal } = this.#parts;
    const { job, taskId } = task;
    const { output } = context;
    const { committed } = await this.#stored();
    await watch.until(() => this.#checkpoints.filter(Boolean).length >= committed);
    this.#progress ??= createProgress("training", job.steps, output.json);
    if (committed > 0) output.note(`taking up task ${taskId} after checkpoint ${committed - 1}`);
    let state: readonly Tensor[] | null = null;
    // A segment is hashed, published and sent while the next one trains.
    let committing: Promise<void> = Promise.resolve();
    try {
      for (let segment = committed; segment < segmentCount(job); segment++) {
        state ??= await this.run.before(segment, this.#checkpoints);
        state = await this.run.train(segment, state);
        await this.reportCheat();
        await committing;
        signal.throwIfAborted();
        committing = this.#commit(segment, state);
        // Whoever awaits it sees the error.
        committing.catch(() => undefined);
      }
    } finally {
      await committing;
    }
    this.#isDone = true;
    this.#progress.finish();
    const losses = this.#losses.map((loss) => loss ?? null);
    const { finalAt } = await this.#stored();
    output.event(
      "trained",
      { steps: job.steps, losses, finalAt },
      `all steps are done; the task can settle when its challenge windows are over, after ${new Date(finalAt * 1000).toISOString()} by the chain's clock`,
    );
  }

  /** Writes where a drill has put its fault, once it has. */
  async reportCheat(): Promise<void> {
    const { cheat } = this.#parts;
    const injected = cheat?.tracer.injected ?? null;
    if (cheat?.options.report === undefined || injected === null || this.#isReported) return;
    this.#isReported = true;
    await writeFile(cheat.options.report, `${JSON.stringify({ cheat: cheat.options.cheat.name, injected })}\n`);
  }

  /** None while a reorganisation has taken the task back: the run does without. */
  get #checkpoints(): readonly BookedCheckpoint[] {
    return this.#parts.watch.book.tasks.get(this.#parts.task.taskId)?.checkpoints ?? [];
  }

  /** Tries until the chain has it: the progress clock runs, and the next segment trains meanwhile. */
  async #commit(segment: number, state: readonly Tensor[]): Promise<void> {
    const { context, signal } = this.#parts;
    for (;;) {
      try {
        return await this.#publish(segment, state);
      } catch (error) {
        if (signal.aborted) throw error;
        // A transaction may be included whose sender has heard nothing of it.
        const stored = await this.#stored().catch(() => null);
        if (stored !== null && stored.committed > segment) return;
        if (error instanceof ContractRevertError) throw error;
        reportProblem(context.output, `checkpoint ${segment}`, error);
      }
      await pause(RETRY_MILLISECONDS, undefined, { signal });
    }
  }

  async #publish(segment: number, state: readonly Tensor[]): Promise<void> {
    const { context, task, journal, cheat } = this.#parts;
    const { store, sender, deployment, output } = context;
    const { job, taskId } = task;
    const root = await stateRootInTurns(state);
    const locator = await putCheckpoint(store, job.program.state, cheat === null ? state : cheat.tracer.trim(state));
    const first = segment * job.interval;
    const losses = this.#losses.slice(first, first + job.interval).map((loss) => loss ?? null);
    journal.set(this.#key(`losses:${segment}`), losses);
    await sender.send({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "appendCheckpoint",
      args: [taskId, segment, root, `0x${locator}`],
    });
    output.event("checkpoint", { segment, stateRoot: root, locator }, `checkpoint ${segment} is committed: ${root}`);
  }

  /** The task by the chain itself, which the log may be behind of. */
  async #stored() {
    const { chain, deployment } = this.#parts.context;
    return chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [this.#parts.task.taskId],
    });
  }

  #onStep(step: number, loss: number): void {
    this.#losses[step] = loss;
    this.#progress?.update(step + 1, `loss ${loss.toFixed(4)}`);
    if (step % STEPS_PER_EVENT === 0) this.#parts.context.output.event("step", { step, loss });
  }

  #key(name: string): string {
    return `${this.#parts.task.taskId}:${name}`;
  }
}

/** The solver's service: takes a task, trains it, commits its checkpoints, answers disputes meanwhile, and is paid. */

import { writeFile } from "node:fs/promises";
import type { Address, Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { ExitCode } from "../shared/cli.ts";
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import { putCheckpoint } from "../shared/data/checkpoint.ts";
import { defend } from "../shared/dispute/defendant.ts";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentCount } from "../shared/program/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import { createProgress } from "../shared/progress.ts";
import { assessTraining } from "../shared/service/assess.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { DisputePlayer } from "../shared/service/disputePlayer.ts";
import { Journal } from "../shared/service/journal.ts";
import { type LoadedTask, loadTask } from "../shared/service/loadTask.ts";
import type { BookedDispute, BookedTask } from "../shared/service/marketBook.ts";
import { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import type { Cheat } from "./cheats/cheat.ts";
import { CheatingTracer } from "./cheats/cheatingTracer.ts";
import { lyingPartials } from "./cheats/lyingPartials.ts";
import { CheatRandom } from "./cheats/random.ts";
import { SolverRun } from "./run.ts";

export interface SolverOptions {
  /** Only this task; else the first one that can be verified and done. */
  readonly task?: Hex;
  /** End when the task has ended. */
  readonly once: boolean;
  readonly cheat?: { readonly cheat: Cheat; readonly seed: bigint; readonly report?: string };
}

export class TaskUnavailableError extends TouchstoneError {
  readonly code = "TASK_UNAVAILABLE";
  constructor(taskId: Hex, detail: string) {
    super(`Task ${taskId} cannot be worked on: ${detail}.`, { remedy: "Look at it with `touchstone follow`." });
  }
}

/** Steps between two `step` events. */
const STEPS_PER_EVENT = 10;

/** Works until the signal or, with `once`, until the task has ended. */
export async function work(context: ServiceContext, options: SolverOptions): Promise<ExitCode> {
  const { chain, deployment, sender, dataDir } = context;
  const journal = Journal.open(dataDir, `solver ${sender.address} of ${deployment.market} on ${chain.chainId}`);
  const watch = new MarketWatch(context);
  try {
    for (;;) {
      const task = await new TaskFinder(context, watch, journal, options).find();
      const worker = new TaskWorker(context, watch, journal, options, task);
      const exitCode = await worker.work();
      journal.set("task", null);
      if (options.once) return exitCode;
    }
  } finally {
    await watch.close();
    journal.close();
  }
}

/** Finds a task and takes it, or takes up the one that was interrupted. */
class TaskFinder {
  readonly #context: ServiceContext;
  readonly #watch: MarketWatch;
  readonly #journal: Journal;
  readonly #options: SolverOptions;
  readonly #refused = new Set<Hex>();

  constructor(context: ServiceContext, watch: MarketWatch, journal: Journal, options: SolverOptions) {
    this.#context = context;
    this.#watch = watch;
    this.#journal = journal;
    this.#options = options;
  }

  async find(): Promise<LoadedTask> {
    const wanted = this.#options.task ?? this.#journal.get<Hex | null>("task") ?? undefined;
    if (wanted !== undefined) return this.#take(await this.#booked(wanted));
    this.#context.output.note("looking for a task");
    for (;;) {
      const { version, book } = this.#watch;
      for (const task of book.tasks.values()) {
        if (task.state !== "posted" || this.#refused.has(task.taskId)) continue;
        try {
          return await this.#take(task);
        } catch (error) {
          if (!(error instanceof TouchstoneError) || this.#context.signal.aborted) throw error;
          this.#refused.add(task.taskId);
          this.#context.output.event(
            "refused",
            { taskId: task.taskId, code: error.code, message: error.message },
            `task ${task.taskId}: ${error.message}`,
          );
        }
      }
      await this.#watch.next(version);
    }
  }

  async #booked(taskId: Hex): Promise<BookedTask> {
    const { chain, deployment } = this.#context;
    const { status } = await chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [taskId],
    });
    if (status === 0) throw new TaskUnavailableError(taskId, "this market has no such task");
    await this.#watch.until(() => this.#watch.book.tasks.has(taskId));
    return this.#watch.book.tasks.get(taskId)!;
  }

  /** Verifies everything, then stakes the bond. Nothing is verified again for a task that this account already has. */
  async #take(task: BookedTask): Promise<LoadedTask> {
    const { sender, deployment, output } = this.#context;
    const { taskId } = task;
    const solver = await this.#solverOf(task);
    if (solver !== null && !isSameAddress(solver, sender.address)) {
      throw new TaskUnavailableError(taskId, `${solver} has accepted it`);
    }
    if (task.state === "cancelled") throw new TaskUnavailableError(taskId, "it was cancelled");
    const loaded = await loadTask(this.#context, task);
    if (solver !== null) return loaded;
    const purse = new Purse(this.#context);
    try {
      await purse.require(task.spec.solverBond, "the solver's bond");
      const { secondsPerStep } = await assessTraining(loaded);
      output.note(
        `task ${taskId} is sound: ${loaded.job.steps} steps of about ${(secondsPerStep * 1000).toFixed(1)} ms`,
      );
      this.#journal.set("task", taskId);
      await purse.spend(
        async () => task.spec.solverBond,
        "the solver's bond",
        () =>
          sender.send({
            address: deployment.market,
            abi: contractAbi("TrainingMarket"),
            functionName: "accept",
            args: [taskId],
          }),
      );
    } catch (error) {
      await loaded.engine.close();
      throw error;
    }
    output.event("accepted", { taskId }, `accepted task ${taskId}`);
    return loaded;
  }

  /** Who has the task by the chain itself, which the log may be behind of. */
  async #solverOf({ taskId }: BookedTask): Promise<Address | null> {
    const { chain, deployment } = this.#context;
    const { solver } = await chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [taskId],
    });
    return BigInt(solver) === 0n ? null : solver;
  }
}

class TaskWorker {
  readonly #context: ServiceContext;
  readonly #watch: MarketWatch;
  readonly #journal: Journal;
  readonly #options: SolverOptions;
  readonly #task: LoadedTask;
  readonly #cheat: CheatingTracer | null;
  readonly #run: SolverRun;
  readonly #player: DisputePlayer;
  readonly #chores: Chores;
  readonly #losses: (number | undefined)[] = [];
  readonly #ended = new AbortController();
  #onProgress: (step: number, loss: number) => void = () => {};
  #reported = false;

  constructor(context: ServiceContext, watch: MarketWatch, journal: Journal, options: SolverOptions, task: LoadedTask) {
    this.#context = context;
    this.#watch = watch;
    this.#journal = journal;
    this.#options = options;
    this.#task = task;
    this.#cheat = plannedCheat(task, options);
    const signal = AbortSignal.any([context.signal, this.#ended.signal]);
    const onStep = (step: number, loss: number): void => this.#onStep(step, loss);
    this.#run = new SolverRun(task, context.store, { cheat: this.#cheat, onStep, signal });
    this.#chores = new Chores(context);
    this.#player = new DisputePlayer(context, { role: "defendant", move: (dispute) => this.#defend(dispute) });
    for (const [key, losses] of journal.entries<number[]>(this.#key("losses:"))) {
      const segment = Number(key.slice(key.lastIndexOf(":") + 1));
      losses.forEach((loss, i) => {
        this.#losses[segment * task.job.interval + i] = loss;
      });
    }
  }

  /** Trains and answers until the task has ended. */
  async work(): Promise<ExitCode> {
    const training = this.#train().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    let failure: { readonly error: unknown } | null = null;
    void training.then((outcome) => {
      failure = outcome;
    });
    try {
      for (;;) {
        const { version } = this.#watch;
        const booked = this.#booked;
        if (booked.state === "failed") return await this.#failed(booked);
        if (booked.state === "settled") return await this.#settled();
        if (failure !== null) throw (failure as { readonly error: unknown }).error;
        for (const dispute of this.#disputes()) this.#player.attend(dispute);
        this.#chores.start("settle", () => this.#settleIfDue(booked), ["TaskStatusWrong", "DisputesOpen"]);
        await this.#watch.next(version);
      }
    } finally {
      this.#ended.abort(new TaskUnavailableError(this.#task.taskId, "it has ended"));
      await training;
      await this.#player.settle();
      await this.#chores.settle();
      await this.#task.engine.close();
    }
  }

  get #booked(): BookedTask {
    return this.#watch.book.tasks.get(this.#task.taskId)!;
  }

  #disputes(): BookedDispute[] {
    const { sender } = this.#context;
    return [...this.#watch.book.disputes.values()].filter(
      ({ subject, moot }) =>
        subject.taskId === this.#task.taskId && isSameAddress(subject.defendant, sender.address) && !moot,
    );
  }

  async #train(): Promise<void> {
    const { job, taskId } = this.#task;
    const { output, signal } = this.#context;
    const segments = segmentCount(job);
    const committed = await this.#committed();
    await this.#watch.until(() => this.#booked.checkpoints.filter(Boolean).length >= committed);
    const progress = createProgress("training", job.steps, output.json);
    this.#onProgress = (step, loss) => progress.update(step + 1, `loss ${loss.toFixed(4)}`);
    if (committed > 0) output.note(`taking up task ${taskId} after checkpoint ${committed - 1}`);
    let state: readonly Tensor[] | null = null;
    for (let segment = committed; segment < segments; segment++) {
      state ??= await this.#run.before(segment, this.#booked.checkpoints);
      state = await this.#run.train(segment, state);
      await this.#reportCheat();
      await this.#commit(segment, state);
      signal.throwIfAborted();
    }
    progress.finish();
    output.event(
      "trained",
      { steps: job.steps, losses: this.#losses.map((loss) => loss ?? null) },
      "all steps are done",
    );
  }

  async #commit(segment: number, state: readonly Tensor[]): Promise<void> {
    const { job, taskId } = this.#task;
    const { store, sender, deployment, output } = this.#context;
    const root = stateRoot(state);
    const file = this.#cheat === null ? state : this.#cheat.trim(state);
    const locator = await putCheckpoint(store, job.program.state, file);
    const first = segment * job.interval;
    this.#journal.set(
      this.#key(`losses:${segment}`),
      this.#losses.slice(first, first + job.interval).map((loss) => loss ?? null),
    );
    await sender.send({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "appendCheckpoint",
      args: [taskId, segment, root, `0x${locator}`],
    });
    output.event("checkpoint", { segment, stateRoot: root, locator }, `checkpoint ${segment} is committed: ${root}`);
  }

  /** Number of checkpoints that the chain has. */
  async #committed(): Promise<number> {
    const { chain, deployment } = this.#context;
    const { committed } = await chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [this.#task.taskId],
    });
    return committed;
  }

  async #defend(dispute: BookedDispute) {
    if (this.#booked.state === "failed") return null;
    const { run } = this.#task;
    const evidence = await this.#run.evidence(dispute.subject.segment, this.#booked.checkpoints);
    await this.#reportCheat();
    if (this.#options.cheat === undefined) return defend(run, evidence, dispute.walk);
    const move = await defend(run, evidence, dispute.walk, { claimPartials: lyingPartials });
    return move?.kind === this.#options.cheat.cheat.silentAt ? null : move;
  }

  async #settleIfDue({ checkpoints }: BookedTask): Promise<void> {
    const { job, taskId } = this.#task;
    if (checkpoints.length < segmentCount(job)) return;
    const { chain, sender, deployment } = this.#context;
    const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
    const { finalAt, openDisputes } = await chain.client.readContract({
      ...market,
      functionName: "task",
      args: [taskId],
    });
    if (openDisputes > 0 || (await this.#watch.now()) <= finalAt) return;
    await sender.send({ ...market, functionName: "settle", args: [taskId] });
  }

  async #settled(): Promise<ExitCode> {
    const { output } = this.#context;
    await new Purse(this.#context).withdraw();
    output.event("settled", { taskId: this.#task.taskId }, `task ${this.#task.taskId} is settled`);
    return ExitCode.done;
  }

  async #failed({ convicted }: BookedTask): Promise<ExitCode> {
    const { output } = this.#context;
    const { taskId } = this.#task;
    // The last dispute's own outcome is part of the story.
    for (const dispute of this.#disputes()) this.#player.attend(dispute);
    await this.#player.settle();
    await new Purse(this.#context).withdraw();
    output.event(
      "failed",
      { taskId, convicted },
      `task ${taskId} has failed: ${convicted ? "this solver was convicted" : "the progress clock ran out"}`,
    );
    return convicted ? ExitCode.faultFound : ExitCode.failure;
  }

  #onStep(step: number, loss: number): void {
    this.#losses[step] = loss;
    this.#onProgress(step, loss);
    if (step % STEPS_PER_EVENT === 0) this.#context.output.event("step", { step, loss });
  }

  async #reportCheat(): Promise<void> {
    const report = this.#options.cheat?.report;
    const injected = this.#cheat?.injected ?? null;
    if (report === undefined || injected === null || this.#reported) return;
    this.#reported = true;
    await writeFile(report, `${JSON.stringify({ cheat: this.#options.cheat!.cheat.name, injected })}\n`);
  }

  #key(name: string): string {
    return `${this.#task.taskId}:${name}`;
  }
}

function plannedCheat({ job, initialState, engine }: LoadedTask, { cheat }: SolverOptions): CheatingTracer | null {
  if (cheat === undefined) return null;
  const plan = cheat.cheat.plan({ job, initialState, random: new CheatRandom(cheat.seed) });
  return new CheatingTracer(job, engineTracer(job, engine), plan);
}

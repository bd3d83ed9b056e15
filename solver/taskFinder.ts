/** Finds a task and takes it, or takes up the one that was interrupted. */
import type { Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { assessTraining } from "../shared/service/assess.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import type { Journal } from "../shared/service/journal.ts";
import { type LoadedTask, loadTask } from "../shared/service/loadTask.ts";
import type { BookedTask } from "../shared/service/marketBook.ts";
import type { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import type { SolverOptions } from "./options.ts";

export class TaskUnavailableError extends TouchstoneError {
  readonly code = "TASK_UNAVAILABLE";
  constructor(taskId: Hex, detail: string) {
    super(`Task ${taskId} cannot be worked on: ${detail}.`, { remedy: "Look at it with `touchstone follow`." });
  }
}

/** TaskStatus of contracts/interfaces/ITrainingMarket.sol. */
const STATUS = { none: 0, posted: 1, accepted: 2 } as const;
/** Key of the task that this solver works on. */
const CURRENT = "task";

export class TaskFinder {
  readonly #context: ServiceContext;
  readonly #watch: MarketWatch;
  readonly #journal: Journal;
  readonly #options: SolverOptions;
  /** Tasks that were looked at, each once. */
  readonly #seen = new Set<Hex>();

  constructor(context: ServiceContext, watch: MarketWatch, journal: Journal, options: SolverOptions) {
    this.#context = context;
    this.#watch = watch;
    this.#journal = journal;
    this.#options = options;
  }

  /** @throws TaskUnavailableError, and whatever is wrong with it, when one task is asked for and cannot be taken. */
  async find(): Promise<LoadedTask> {
    if (this.#options.task !== undefined) return this.#take(await this.#booked(this.#options.task));
    const interrupted = this.#journal.get<Hex | null>(CURRENT) ?? null;
    if (interrupted !== null) {
      const booked = await this.#booked(interrupted);
      const task = await this.#tried(booked.taskId, () => this.#take(booked));
      if (task !== null) return task;
    }
    this.#context.output.note("looking for a task");
    for (;;) {
      const { version, book } = this.#watch;
      for (const booked of book.tasks.values()) {
        if (booked.state !== "posted" || this.#seen.has(booked.taskId)) continue;
        if (booked.spec.price < (this.#options.minimumPrice ?? 1n)) continue;
        const task = await this.#tried(booked.taskId, async () =>
          (await this.#isOpen(booked.taskId)) ? this.#take(booked) : null,
        );
        if (task !== null) return task;
      }
      await this.#watch.next(version);
    }
  }

  /** Forgets the task that was worked on. */
  release(): void {
    this.#journal.set(CURRENT, null);
  }

  /** The task, or null when it is left to others. */
  async #tried(taskId: Hex, take: () => Promise<LoadedTask | null>): Promise<LoadedTask | null> {
    this.#seen.add(taskId);
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof TouchstoneError) || this.#context.signal.aborted) throw error;
      const { code, message } = error;
      this.#context.output.event("refused", { taskId, code, message }, `task ${taskId}: ${message}`);
      return null;
    }
  }

  /** Whether there is work for this solver in a task; while the log replays, one that ended long ago looks as if just posted. */
  async #isOpen(taskId: Hex): Promise<boolean> {
    const { status, solver } = await this.#stored(taskId);
    if (status === STATUS.posted) return true;
    return status === STATUS.accepted && isSameAddress(solver, this.#context.sender.address);
  }

  async #booked(taskId: Hex): Promise<BookedTask> {
    const { status } = await this.#stored(taskId);
    if (status === STATUS.none) throw new TaskUnavailableError(taskId, "this market has no such task");
    return this.#watch.task(taskId);
  }

  /** Verifies everything, then stakes the bond. Only what a task binds is verified again for one that this account already has. */
  async #take(booked: BookedTask): Promise<LoadedTask> {
    const { taskId } = booked;
    const { sender } = this.#context;
    const { status, solver } = await this.#stored(taskId);
    const isOwn = status !== STATUS.posted && isSameAddress(solver, sender.address);
    if (status !== STATUS.posted && !isOwn) {
      this.release();
      throw new TaskUnavailableError(taskId, BigInt(solver) === 0n ? "it was cancelled" : `${solver} has accepted it`);
    }
    const task = await loadTask(this.#context, booked);
    if (isOwn) return task;
    try {
      await this.#accept(task);
    } catch (error) {
      this.release();
      await task.engine.close();
      throw error;
    }
    this.#context.output.event("accepted", { taskId }, `accepted task ${taskId}`);
    return task;
  }

  async #accept(task: LoadedTask): Promise<void> {
    const { sender, deployment, output } = this.#context;
    const { taskId, spec, job } = task;
    const purse = new Purse(this.#context);
    await purse.require(spec.solverBond, "the solver's bond");
    const { secondsPerStep } = await assessTraining(task);
    output.note(`task ${taskId} is sound: ${job.steps} steps of about ${(secondsPerStep * 1000).toFixed(1)} ms`);
    // Before the bond is staked: an interrupted program must know that it has a task.
    this.#journal.set(CURRENT, taskId);
    await purse.spend(
      async () => spec.solverBond,
      "the solver's bond",
      () =>
        sender.send({
          address: deployment.market,
          abi: contractAbi("TrainingMarket"),
          functionName: "accept",
          args: [taskId],
        }),
    );
  }

  /** The task by the chain itself, which the log may be behind of. */
  #stored(taskId: Hex) {
    const { chain, deployment } = this.#context;
    return chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "task",
      args: [taskId],
    });
  }
}

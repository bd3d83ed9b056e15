/** A solver's work on one task: training, disputes and the end, side by side. */
import type { Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { ContractRevertError } from "../shared/chain/errors.ts";
import { ExitCode } from "../shared/cli.ts";
import { defend } from "../shared/dispute/defendant.ts";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import type { DefendantMove } from "../shared/dispute/moves.ts";
import type { TouchstoneError } from "../shared/errors.ts";
import { segmentCount } from "../shared/job/job.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { DisputePlayer } from "../shared/service/disputePlayer.ts";
import type { Journal } from "../shared/service/journal.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";
import type { BookedDispute, BookedTask } from "../shared/service/marketBook.ts";
import type { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import { CheatingTracer } from "./cheats/cheatingTracer.ts";
import { lyingPartials } from "./cheats/lyingPartials.ts";
import { CheatRandom } from "./cheats/random.ts";
import type { CheatOptions, SolverOptions } from "./options.ts";
import { RunChangedError } from "./run.ts";
import { TaskUnavailableError } from "./taskFinder.ts";
import { Trainer } from "./trainer.ts";

export class TaskWorker {
  readonly #context: ServiceContext;
  readonly #watch: MarketWatch;
  readonly #task: LoadedTask;
  readonly #cheat: CheatOptions | undefined;
  readonly #trainer: Trainer;
  readonly #player: DisputePlayer;
  readonly #chores: Chores;
  readonly #ended = new AbortController();
  /** Disputes in which a drill has been told to fall silent. */
  readonly #silent = new Set<Hex>();
  /** Why training cannot go on; disputes about what is committed still can. */
  #stopped: TouchstoneError | null = null;

  constructor(
    context: ServiceContext,
    watch: MarketWatch,
    journal: Journal,
    { cheat }: SolverOptions,
    task: LoadedTask,
  ) {
    this.#context = context;
    this.#watch = watch;
    this.#task = task;
    this.#cheat = cheat;
    const signal = AbortSignal.any([context.signal, this.#ended.signal]);
    const drill = cheat === undefined ? null : { tracer: cheatingTracer(task, cheat), options: cheat };
    this.#trainer = new Trainer({ context, watch, journal, task, signal, cheat: drill });
    this.#chores = new Chores({ ...context, signal });
    this.#player = new DisputePlayer(context, {
      role: "defendant",
      move: (dispute, deadline) => this.#defend(dispute, deadline),
    });
  }

  /** Trains and answers until the task has ended. A bond is at stake until then, so a failure to train ends nothing. */
  async work(): Promise<ExitCode> {
    try {
      for (;;) {
        const { version } = this.#watch;
        const booked = await this.#watch.task(this.#task.taskId);
        if (booked.state === "failed") return await this.#failed(booked);
        if (booked.state === "settled") return await this.#settled();
        for (const dispute of this.#disputes()) this.#player.attend(dispute);
        if (!this.#trainer.isDone && this.#stopped === null) this.#chores.start("training", () => this.#train());
        this.#chores.start("end of the task", () => this.#endIfDue(), ["TaskStatusWrong", "DisputesOpen", "TooEarly"]);
        await this.#watch.next(version);
      }
    } finally {
      this.#ended.abort(new TaskUnavailableError(this.#task.taskId, "it has ended"));
      await this.#chores.settle();
      await this.#player.settle();
      await this.#task.engine.close();
    }
  }

  #disputes(): BookedDispute[] {
    const { sender } = this.#context;
    return [...this.#watch.book.disputes.values()].filter(
      ({ subject, moot }) =>
        subject.taskId === this.#task.taskId && isSameAddress(subject.defendant, sender.address) && !moot,
    );
  }

  async #train(): Promise<void> {
    if (this.#stopped !== null) return;
    try {
      await this.#trainer.train();
    } catch (error) {
      // What the contract refuses and what this machine cannot compute again stays so; anything else may pass.
      const isFinal = error instanceof ContractRevertError || error instanceof RunChangedError;
      if (isFinal && !this.#ended.signal.aborted) this.#stopped = error;
      throw error;
    }
  }

  async #defend({ disputeId, subject, walk }: BookedDispute, deadline: number): Promise<DefendantMove | null> {
    const booked = this.#watch.book.tasks.get(subject.taskId);
    if (booked === undefined || booked.state === "failed" || walk.turn !== "defendant") return null;
    const { run } = this.#task;
    const evidence = await this.#trainer.run.evidence(subject.segment, booked.checkpoints, deadline);
    await this.#trainer.reportCheat();
    if (this.#cheat === undefined) return defend(run, evidence, walk);
    const move = await defend(run, evidence, walk, { claimPartials: lyingPartials });
    const { silentAt } = this.#cheat.cheat;
    if (move?.kind === "answer" && silentAt === "open") return { ...move, children: undefined };
    if (move === null || move.kind !== silentAt) return move;
    this.#fallSilent(disputeId, move.kind);
    return null;
  }

  /** Whoever watches a drill need not guess whether a solver thinks or is silent. */
  #fallSilent(disputeId: Hex, move: DefendantMove["kind"]): void {
    if (this.#silent.has(disputeId)) return;
    this.#silent.add(disputeId);
    this.#context.output.event("silent", { disputeId, move }, `dispute ${disputeId}: silent where it owes ${move}`);
  }

  /** Settles what is complete, or gives up what can no longer be completed: part of the bond comes back. */
  async #endIfDue(): Promise<void> {
    const { chain, sender, deployment } = this.#context;
    const { taskId, job } = this.#task;
    const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
    const { committed, finalAt, progressAt, checkpointTime, openDisputes } = await chain.client.readContract({
      ...market,
      functionName: "task",
      args: [taskId],
    });
    if (openDisputes > 0) return;
    const now = await this.#watch.now();
    if (committed === segmentCount(job)) {
      if (now > finalAt) await sender.send({ ...market, functionName: "settle", args: [taskId] });
    } else if (now > progressAt + checkpointTime) {
      await sender.send({ ...market, functionName: "expire", args: [taskId] });
    }
  }

  async #settled(): Promise<ExitCode> {
    const { taskId } = this.#task;
    await new Purse(this.#context).withdraw();
    this.#context.output.event("settled", { taskId }, `task ${taskId} is settled`);
    return ExitCode.done;
  }

  async #failed({ convicted }: BookedTask): Promise<ExitCode> {
    const { output } = this.#context;
    const { taskId } = this.#task;
    // The last dispute's own outcome is part of the story.
    for (const dispute of this.#disputes()) this.#player.attend(dispute);
    await this.#player.settle();
    await new Purse(this.#context).withdraw();
    const reason = convicted ? "this solver was convicted" : "the progress clock ran out";
    const cause = this.#stopped === null ? "" : ` (${this.#stopped.message})`;
    output.event("failed", { taskId, convicted }, `task ${taskId} has failed: ${reason}${cause}`);
    return convicted ? ExitCode.faultFound : ExitCode.failure;
  }
}

function cheatingTracer({ job, initialState, engine }: LoadedTask, { cheat, seed }: CheatOptions): CheatingTracer {
  const plan = cheat.plan({ job, initialState, random: new CheatRandom(seed) });
  return new CheatingTracer(job, engineTracer(job, engine), plan);
}

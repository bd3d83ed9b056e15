/** A verifier's work on one task. */
import type { Hex } from "viem";
import { defend } from "../shared/dispute/defendant.ts";
import { DisputePlayer } from "../shared/service/disputePlayer.ts";
import { disputedSegments } from "../shared/service/evidenceShelf.ts";
import { type LoadedTask, loadTask } from "../shared/service/loadTask.ts";
import { type BookedDispute, isMoot } from "../shared/service/marketBook.ts";
import { Attestations } from "./attestations.ts";
import { challengerStrategy } from "./challengerStrategy.ts";
import { Draws } from "./draws.ts";
import { Prosecution } from "./prosecution.ts";
import { Replayer } from "./replayer.ts";
import { Replays } from "./replays.ts";
import { TaskDesk, type TaskDeskParts } from "./taskDesk.ts";

export interface TaskVerifierOptions {
  /** Replay every segment, not only those that this verifier is drawn for. */
  readonly watchAll: boolean;
  /** Told of every fault that is found. */
  readonly onFault: () => void;
}

interface Loaded {
  readonly task: LoadedTask;
  readonly replayer: Replayer;
  readonly challenging: DisputePlayer;
  readonly defending: DisputePlayer;
}

export class TaskVerifier {
  readonly #desk: TaskDesk;
  readonly #draws: Draws;
  readonly #replays: Replays;
  readonly #attestations: Attestations;
  readonly #prosecution: Prosecution;
  #loading: Promise<Loaded> | null = null;

  constructor(taskId: Hex, parts: TaskDeskParts, { watchAll, onFault }: TaskVerifierOptions) {
    this.#desk = new TaskDesk(taskId, parts);
    this.#draws = new Draws(this.#desk);
    this.#prosecution = new Prosecution(this.#desk, onFault, async () => (await this.#load()).replayer);
    this.#replays = new Replays(this.#desk, this.#draws, {
      watchAll,
      replayer: async () => (await this.#load()).replayer,
      onDifferent: (segment) => this.#prosecution.accuse(segment, this.#desk.solver),
    });
    this.#attestations = new Attestations(
      this.#desk,
      this.#draws,
      this.#replays,
      async () => (await this.#load()).task,
    );
  }

  /** Starts whatever is due. */
  attend(): void {
    this.#draws.attend();
    this.#replays.attend();
    this.#attestations.attend();
    this.#prosecution.checkDigests(this.#replays);
    this.#prosecution.attend();
    for (const dispute of this.#disputes()) this.#attendDispute(dispute);
  }

  /** Whether the task has ended and nothing of this verifier's is left in it. */
  get isDone(): boolean {
    const { state, checkpoints, draws } = this.#desk.booked;
    if (state !== "settled" && state !== "failed" && state !== "cancelled") return false;
    const allRead = checkpoints.every((_, segment) => !draws.has(segment) || this.#draws.of(segment) !== undefined);
    return allRead && this.#attestations.areClosed && this.#disputes().every((dispute) => this.#isOver(dispute));
  }

  /** Waits for what is under way and closes the engine. */
  async close(): Promise<void> {
    await this.#desk.chores.settle();
    const loaded = await this.#loading?.catch(() => null);
    await loaded?.challenging.settle();
    await loaded?.defending.settle();
    await loaded?.task.engine.close();
  }

  #isOver(dispute: BookedDispute): boolean {
    // Nobody has to take back another's bond.
    const isOthers = !this.#desk.isOwn(dispute.challenger);
    return dispute.walk.outcome !== null || (isOthers && isMoot(this.#desk.booked, dispute));
  }

  /** The disputes that this verifier is a side of. */
  #disputes(): BookedDispute[] {
    const { watch, taskId } = this.#desk;
    return [...watch.book.disputes.values()].filter(
      ({ subject, challenger, moot }) =>
        subject.taskId === taskId && !moot && (this.#desk.isOwn(challenger) || this.#desk.isOwn(subject.defendant)),
    );
  }

  #attendDispute(dispute: BookedDispute): void {
    const { challenger, disputeId } = dispute;
    const asChallenger = this.#desk.isOwn(challenger);
    if (isMoot(this.#desk.booked, dispute)) {
      if (!asChallenger) return;
      this.#desk.start(`bond of dispute ${disputeId}`, () => this.#closeMoot(disputeId), ["DisputeNotMoot"]);
      return;
    }
    this.#desk.start(`dispute ${disputeId}`, async () => {
      const { challenging, defending } = await this.#load();
      (asChallenger ? challenging : defending).attend(dispute);
    });
  }

  /** Takes back the bond of a dispute whose defendant was convicted in another one. */
  async #closeMoot(disputeId: Hex): Promise<void> {
    const { context, market } = this.#desk;
    await context.sender.send({ ...market, functionName: "closeMoot", args: [disputeId] });
    context.output.event("moot", { disputeId }, `dispute ${disputeId} is moot, its bond is back`);
  }

  #load(): Promise<Loaded> {
    this.#loading ??= this.#loadNow();
    // Whoever published the package may do so later.
    this.#loading.catch(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadNow(): Promise<Loaded> {
    const { context, booked, watch, taskId } = this.#desk;
    const task = await loadTask(context, booked);
    const replayer = new Replayer(
      task,
      context.store,
      () => this.#desk.booked.checkpoints,
      () => disputedSegments(watch.book, taskId),
    );
    const evidence = (segment: number, deadline?: number) => replayer.evidence(segment, deadline);
    return {
      task,
      replayer,
      challenging: new DisputePlayer(context, challengerStrategy(task.run, context.output, evidence)),
      defending: new DisputePlayer(context, {
        role: "defendant",
        move: async ({ subject, walk }, deadline) => {
          if (walk.turn !== "defendant") return null;
          return defend(task.run, await evidence(subject.segment, deadline), walk);
        },
      }),
    };
  }
}

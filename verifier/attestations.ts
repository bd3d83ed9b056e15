/** This verifier's attestations of a task: seals what it has replayed, reveals it, is paid for it. */
import { randomBytes } from "node:crypto";
import type { Hex } from "viem";
import { digestSeal } from "../shared/commitment/digest.ts";
import { toHex } from "../shared/dispute/moves.ts";
import { assessDefence, TaskWindowError } from "../shared/service/assess.ts";
import { fetchCheckpoint } from "../shared/service/checkpointState.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import type { Draws } from "./draws.ts";
import type { SegmentReplay } from "./replayer.ts";
import type { Replays } from "./replays.ts";
import type { TaskDesk, Windows } from "./taskDesk.ts";

/** AttestationStatus of contracts/interfaces/ITrainingMarket.sol. */
const STATUS = { none: 0, sealed: 1, revealed: 2 } as const;
/** Share of the seal window after which a checkpoint that cannot be fetched is reported. */
const WAIT_FOR_STORE = 0.5;

/** A seal that was made: needed again to reveal it. */
interface SealRecord {
  /** What was sealed, and for which beacon: a reorganisation may put the seal under others. */
  readonly stateRoot: Hex;
  readonly beacon: Hex;
  readonly salt: Hex;
  readonly digestRoot: Hex;
}

export class Attestations {
  readonly #desk: TaskDesk;
  readonly #draws: Draws;
  readonly #replays: Replays;
  readonly #load: () => Promise<LoadedTask>;
  /** What something was sent about in this stage, as the desk names matters: the log may be behind. */
  readonly #missed = new Set<string>();
  readonly #spoken = new Set<string>();
  readonly #revealed = new Set<string>();
  readonly #closed = new Set<string>();
  #defensible: Promise<boolean> | null = null;

  constructor(desk: TaskDesk, draws: Draws, replays: Replays, load: () => Promise<LoadedTask>) {
    this.#desk = desk;
    this.#draws = draws;
    this.#replays = replays;
    this.#load = load;
  }

  attend(): void {
    for (const segment of this.#draws.own()) {
      if (this.#isClosed(segment)) continue;
      this.#desk.start(`attestation of segment ${segment}`, () => this.#attest(segment));
    }
  }

  /** Whether nothing is left to do once the task has ended. */
  get areClosed(): boolean {
    return this.#draws.own().every((segment) => this.#isClosed(segment));
  }

  #isClosed(segment: number): boolean {
    const matter = this.#desk.matterOf(segment);
    return matter !== null && this.#closed.has(matter);
  }

  /** Does what is due: seals, reveals or closes. */
  async #attest(segment: number): Promise<void> {
    const matter = this.#desk.matterOf(segment);
    if (matter === null || this.#closed.has(matter)) return;
    const { context, market, taskId, watch, booked } = this.#desk;
    const now = await watch.now();
    const windows = await this.#desk.windows(segment);
    const { status, openDisputes } = await context.chain.client.readContract({
      ...market,
      functionName: "attestationOf",
      args: [taskId, segment, context.sender.address],
    });
    // What was read is about another by now: the next look is about that one.
    if (this.#desk.matterOf(segment) !== matter) return;
    switch (status) {
      case STATUS.none: {
        const replay = this.#replays.of(segment);
        if (now > windows.sealEnd || booked.state !== "accepted") {
          this.#closed.add(matter);
          // Who found a fault had nothing to seal, and nobody has once the task has failed.
          if (booked.state !== "failed" && (replay?.verdict ?? "equal") === "equal")
            this.#miss(segment, matter, "seal");
        } else if (replay?.verdict === "equal" && !this.#spoken.has(matter))
          await this.#speak(segment, matter, replay, now, windows);
        return;
      }
      case STATUS.sealed:
        if (now > windows.sealEnd && now <= windows.revealEnd && !this.#revealed.has(matter)) {
          await this.#reveal(segment, matter, windows);
        } else if (now > windows.revealEnd && booked.state !== "failed") this.#miss(segment, matter, "reveal");
        break;
      case STATUS.revealed:
        break;
      default:
        this.#closed.add(matter);
        return;
    }
    // Also one that was never revealed: until it is closed the seat stands for it.
    if (now > windows.challengeEnd && openDisputes === 0)
      await this.#close(segment, matter, status === STATUS.revealed);
  }

  /** Tells, once, of a fee that is lost: nothing is at stake for coming too late. */
  #miss(segment: number, matter: string, window: "seal" | "reveal"): void {
    if (this.#missed.has(matter)) return;
    this.#missed.add(matter);
    const { context, taskId } = this.#desk;
    context.output.event(
      "missed",
      { taskId, segment, window },
      `segment ${segment}: the time to ${window} is over, this machine was not ready`,
    );
  }

  /** Seals the digest, or reports that the checkpoint cannot be fetched. */
  async #speak(
    segment: number,
    matter: string,
    { digests }: SegmentReplay,
    now: number,
    { sealEnd }: Windows,
  ): Promise<void> {
    const { context, market, taskId, booked, journal } = this.#desk;
    const { sender, output } = context;
    const task = await this.#load();
    if (this.#desk.matterOf(segment) !== matter) return;
    const { draw } = this.#draws.of(segment)!;
    const { stateRoot } = booked.checkpoints[segment]!;
    const { beacon } = booked.draws.get(segment)!;
    const digestRoot = [...digests].find(([verifier]) => isSameAddress(verifier, sender.address))?.[1];
    if (draw === null || digestRoot === undefined) return;
    const fetched = await fetchCheckpoint(context.store, task.job.program, booked.checkpoints[segment]!);
    if ("problem" in fetched) {
      if (now < sealEnd - task.spec.sealWindow * (1 - WAIT_FOR_STORE)) return;
      await sender.send(
        { ...market, functionName: "reportUnavailable", args: [taskId, segment, draw] },
        { deadline: sealEnd },
      );
      this.#spoken.add(matter);
      output.event(
        "unavailable",
        { taskId, segment, code: fetched.problem.code },
        `reported checkpoint ${segment} unavailable: ${fetched.problem.message}`,
      );
      return;
    }
    if (!(await this.#isDefensible(task))) {
      this.#spoken.add(matter);
      return;
    }
    if (this.#desk.matterOf(segment) !== matter) return;
    const key = this.#sealKey(segment);
    // Before the seal is sent: a seal that cannot be revealed is worth nothing.
    const made = journal.get<SealRecord>(key);
    if (made?.digestRoot !== digestRoot || made.stateRoot !== stateRoot || made.beacon !== beacon) {
      journal.set(key, { salt: toHex(randomBytes(32)), digestRoot, stateRoot, beacon } satisfies SealRecord);
    }
    const { salt } = journal.get<SealRecord>(key)!;
    const seal = digestSeal(taskId, segment, sender.address, salt, digestRoot);
    await sender.send({ ...market, functionName: "seal", args: [taskId, segment, draw, seal] }, { deadline: sealEnd });
    this.#spoken.add(matter);
    output.event("sealed", { taskId, segment }, `sealed the digest of segment ${segment}`);
  }

  /** Whether this machine could answer a dispute about its attestation in time; found out once, before the first seal. */
  #isDefensible(task: LoadedTask): Promise<boolean> {
    this.#defensible ??= assessDefence(task).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof TaskWindowError)) throw error;
        const { output } = this.#desk.context;
        output.event("problem", { chore: "attest", code: error.code, message: error.message }, error.message);
        return false;
      },
    );
    return this.#defensible;
  }

  async #reveal(segment: number, matter: string, { revealEnd }: Windows): Promise<void> {
    const { context, market, taskId, journal } = this.#desk;
    const { sender, output } = context;
    const record = journal.get<SealRecord>(this.#sealKey(segment));
    if (record === undefined) {
      output.note(`the seal of segment ${segment} is not in this journal and cannot be revealed`);
      this.#revealed.add(matter);
      return;
    }
    // By the chain itself, which the log may be behind of.
    const { stateRoot, beacon } = await context.chain.client.readContract({
      ...market,
      functionName: "segmentOf",
      args: [taskId, segment],
    });
    if (record.stateRoot !== stateRoot || record.beacon !== beacon) {
      this.#revealed.add(matter);
      const message = `A reorganisation has put the seal of segment ${segment} under another checkpoint or beacon; it is not revealed.`;
      output.event("problem", { chore: "reveal", code: "BEACON_REPLACED", message }, message);
      return;
    }
    await sender.send(
      { ...market, functionName: "reveal", args: [taskId, segment, record.salt, record.digestRoot] },
      { deadline: revealEnd },
    );
    this.#revealed.add(matter);
    output.event("revealed", { taskId, segment }, `revealed the digest of segment ${segment}`);
  }

  async #close(segment: number, matter: string, paid: boolean): Promise<void> {
    const { context, market, taskId } = this.#desk;
    const { sender, output } = context;
    await sender.send({ ...market, functionName: "closeAttestation", args: [taskId, segment, sender.address] });
    this.#closed.add(matter);
    if (paid) output.event("paid", { taskId, segment }, `paid for the attestation of segment ${segment}`);
    else output.note(`the attestation of segment ${segment} was not revealed in time and is closed without pay`);
  }

  #sealKey(segment: number): string {
    return `${this.#desk.taskId}:seal:${segment}`;
  }
}

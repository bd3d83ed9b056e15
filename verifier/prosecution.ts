/** The faults that a verifier has found in a task, and the challenges of those who committed them. */
import { setTimeout as pause } from "node:timers/promises";
import type { Address } from "viem";
import { attestationKey, type BookedDispute } from "../shared/service/marketBook.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import { ChallengeTimeError, requireChallengeTime } from "./challengeTime.ts";
import type { Replayer } from "./replayer.ts";
import type { Replays } from "./replays.ts";
import type { TaskDesk } from "./taskDesk.ts";

/** Share of the challenge window during which another's challenge of the same fault is left to decide it. */
const LEAVE_TO_OTHERS = 0.5;

/** Share of the challenge window that is left for sending the challenge, however far the evidence has come. */
const LEAVE_TO_SEND = 0.1;
/** Milliseconds in which the log must have a challenge that was included, before it is taken for reorganised away. */
const LOG_MILLISECONDS = 60_000;
/** A longer pause would end at once. */
const LONGEST_PAUSE = 2 ** 31 - 1;

/** Where the evidence for a challenge comes from. */
export type Prover = Pick<Replayer, "evidence" | "progress">;

interface Fault {
  readonly segment: number;
  readonly defendant: Address;
  /** The roots that were found false: a reorganisation may replace them by true ones. */
  readonly about: string;
  /** Whether there is nothing left to do: it can no longer be challenged. */
  closed: boolean;
  /** Until when a challenge that was made may be missing in the log; its dispute is the proof of it. */
  awaitedUntil: number;
}

export class Prosecution {
  readonly #desk: TaskDesk;
  readonly #onFault: () => void;
  readonly #prover: () => Promise<Prover>;
  readonly #faults = new Map<string, Fault>();

  constructor(desk: TaskDesk, onFault: () => void, prover: () => Promise<Prover>) {
    this.#desk = desk;
    this.#onFault = onFault;
    this.#prover = prover;
  }

  /** Records a fault, once. */
  accuse(segment: number, defendant: Address): void {
    const about = this.#rootsOf(segment, defendant);
    const key = `${segment}:${defendant}:${about}`;
    if (this.#faults.has(key)) return;
    this.#faults.set(key, { segment, defendant, about, closed: false, awaitedUntil: 0 });
    this.#onFault();
    const { context, taskId } = this.#desk;
    context.output.event("fault", { taskId, segment, defendant }, `FAULT of ${defendant} in segment ${segment}`);
  }

  /** Compares the digests that others have revealed with this verifier's own replays. */
  checkDigests(replays: Replays): void {
    const { booked } = this.#desk;
    for (const { segment, verifier, digestRoot } of booked.attestations.values()) {
      const replay = replays.of(segment);
      if (digestRoot === null || replay === undefined || this.#desk.isOwn(verifier)) continue;
      if (replay.verdict === "unreachable") continue;
      const own = replay.digests.get(verifier);
      // Whoever attests a wrong checkpoint is wrong whatever its digest says.
      if (replay.verdict === "equal" && (own === undefined || own === digestRoot)) continue;
      if (booked.attestations.get(attestationKey(segment, verifier))?.state === "revealed")
        this.accuse(segment, verifier);
    }
  }

  attend(): void {
    for (const fault of this.#faults.values()) {
      // Two of one name would displace each other.
      if (fault.closed || !this.#isCurrent(fault)) continue;
      const { segment, defendant } = fault;
      this.#desk.start(`challenge of ${defendant} in segment ${segment}`, () => this.#challenge(fault));
    }
  }

  async #challenge(fault: Fault): Promise<void> {
    const ends = await this.#windowOf(fault);
    if (ends === null || !(await this.#isPlayable(fault, ends))) return;
    // Much may have happened while the evidence was computed.
    if ((await this.#windowOf(fault)) === null) return;
    const { context, market, taskId, booked, purse } = this.#desk;
    const { sender, output, chain } = context;
    const { segment, defendant } = fault;
    const args = [taskId, segment, defendant] as const;
    const { hash, gasUsed } = await purse.spend(
      () => chain.client.readContract({ ...market, functionName: "challengeBond", args }),
      "the challenger's bond",
      () =>
        sender.send(
          { ...market, functionName: "challenge", args: [...args, booked.spec.training] },
          { deadline: ends.challengeEnd },
        ),
    );
    fault.awaitedUntil = Date.now() + LOG_MILLISECONDS;
    output.event(
      "challenged",
      { taskId, segment, defendant, transaction: hash, gas: gasUsed },
      `challenged segment ${segment} of ${defendant}`,
    );
  }

  /** The last second of the challenge window and what is left of it, or null when the fault is not (or no longer) to be challenged. */
  async #windowOf(fault: Fault): Promise<{ readonly challengeEnd: number; readonly left: number } | null> {
    if (fault.closed || !this.#isCurrent(fault)) return null;
    const { context, booked, watch } = this.#desk;
    const { segment, defendant } = fault;
    if (this.#desk.isSolver(defendant) && booked.state !== "accepted") return null;
    const about = this.#disputesAbout(fault);
    if (about.some(({ challenger }) => this.#desk.isOwn(challenger))) {
      // Once the log had it, the log alone says whether it is still there.
      fault.awaitedUntil = 0;
      return null;
    }
    if (Date.now() < fault.awaitedUntil) return null;
    const { challengeEnd } = await this.#desk.windows(segment);
    const left = challengeEnd - (await watch.now());
    if (left < 0) {
      fault.closed = true;
      context.output.note(`the challenge window of segment ${segment} is over`);
      return null;
    }
    // One honest challenger is enough, but another may lose on purpose: it is given half of the window.
    const others = about.some(({ walk, moot }) => walk.outcome === null && !moot);
    if (others && left > booked.spec.challengeWindow * (1 - LEAVE_TO_OTHERS)) return null;
    return { challengeEnd, left };
  }

  /**
   * Computes the evidence while nobody's clock runs yet. Where the window is too short for that, the clock must hold what is left:
   * under terms made for it, a false checkpoint would otherwise win the bond of whoever is right about it.
   */
  async #isPlayable(
    fault: Fault,
    { challengeEnd, left }: { readonly challengeEnd: number; readonly left: number },
  ): Promise<boolean> {
    const { context, booked } = this.#desk;
    const { segment, defendant } = fault;
    const prover = await this.#prover();
    const patience = left - Math.min(left / 2, booked.spec.challengeWindow * LEAVE_TO_SEND);
    const done = new AbortController();
    const signal = AbortSignal.any([context.signal, done.signal]);
    try {
      await Promise.race([
        prover.evidence(segment, challengeEnd),
        pause(Math.min(patience * 1000, LONGEST_PAUSE), undefined, { signal }),
      ]);
      requireChallengeTime(segment, booked.spec, prover.progress(segment), !this.#desk.isSolver(defendant));
      return true;
    } catch (error) {
      if (!(error instanceof ChallengeTimeError)) throw error;
      fault.closed = true;
      const { code, message } = error;
      context.output.event("problem", { chore: "challenge", code, message }, message);
      return false;
    } finally {
      done.abort();
    }
  }

  #disputesAbout({ segment, defendant }: Fault): BookedDispute[] {
    const { watch, taskId } = this.#desk;
    return [...watch.book.disputes.values()].filter(
      ({ subject }) =>
        subject.taskId === taskId && subject.segment === segment && isSameAddress(subject.defendant, defendant),
    );
  }

  #isCurrent({ segment, defendant, about }: Fault): boolean {
    return this.#rootsOf(segment, defendant) === about;
  }

  /** What the defendant stands for in a segment: the checkpoint, and its digest where it is a verifier. */
  #rootsOf(segment: number, defendant: Address): string {
    const { checkpoints, attestations } = this.#desk.booked;
    const digestRoot = attestations.get(attestationKey(segment, defendant))?.digestRoot;
    return `${checkpoints[segment - 1]?.stateRoot}:${checkpoints[segment]?.stateRoot}:${digestRoot}`;
  }
}

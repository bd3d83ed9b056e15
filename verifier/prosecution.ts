/** The faults that a verifier has found in a task, and the challenges of those who committed them. */
import type { Address } from "viem";
import { attestationKey, type BookedDispute } from "../shared/service/marketBook.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import type { Replays } from "./replays.ts";
import type { TaskDesk } from "./taskDesk.ts";

/** Share of the challenge window during which another's challenge of the same fault is left to decide it. */
const LEAVE_TO_OTHERS = 0.5;

interface Fault {
  readonly segment: number;
  readonly defendant: Address;
  /** Whether there is nothing left to do: it was challenged, or can no longer be. */
  closed: boolean;
}

export class Prosecution {
  readonly #desk: TaskDesk;
  readonly #onFault: () => void;
  readonly #faults = new Map<string, Fault>();

  constructor(desk: TaskDesk, onFault: () => void) {
    this.#desk = desk;
    this.#onFault = onFault;
  }

  /** Records a fault, once. */
  accuse(segment: number, defendant: Address): void {
    const key = `${segment}:${defendant}`;
    if (this.#faults.has(key)) return;
    this.#faults.set(key, { segment, defendant, closed: false });
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
      if (fault.closed) continue;
      const { segment, defendant } = fault;
      this.#desk.start(`challenge of ${defendant} in segment ${segment}`, () => this.#challenge(fault));
    }
  }

  async #challenge(fault: Fault): Promise<void> {
    if (fault.closed) return;
    const { context, market, taskId, booked, watch, purse } = this.#desk;
    const { sender, output, chain } = context;
    const { segment, defendant } = fault;
    if (this.#desk.isSolver(defendant) && booked.state !== "accepted") {
      fault.closed = true;
      return;
    }
    const about = this.#disputesAbout(fault);
    if (about.some(({ challenger }) => this.#desk.isOwn(challenger))) {
      fault.closed = true;
      return;
    }
    const { challengeEnd } = await this.#desk.windows(segment);
    const left = challengeEnd - (await watch.now());
    if (left < 0) {
      fault.closed = true;
      output.note(`the challenge window of segment ${segment} is over`);
      return;
    }
    // One honest challenger is enough, but another may lose on purpose: it is given half of the window.
    const others = about.some(({ walk }) => walk.outcome === null);
    if (others && left > booked.spec.challengeWindow * (1 - LEAVE_TO_OTHERS)) return;
    const args = [taskId, segment, defendant] as const;
    const { hash, gasUsed } = await purse.spend(
      () => chain.client.readContract({ ...market, functionName: "challengeBond", args }),
      "the challenger's bond",
      () =>
        sender.send(
          { ...market, functionName: "challenge", args: [...args, booked.spec.training] },
          { deadline: challengeEnd },
        ),
    );
    fault.closed = true;
    output.event(
      "challenged",
      { taskId, segment, defendant, transaction: hash, gas: gasUsed },
      `challenged segment ${segment} of ${defendant}`,
    );
  }

  #disputesAbout({ segment, defendant }: Fault): BookedDispute[] {
    const { watch, taskId } = this.#desk;
    return [...watch.book.disputes.values()].filter(
      ({ subject, moot }) =>
        subject.taskId === taskId &&
        subject.segment === segment &&
        isSameAddress(subject.defendant, defendant) &&
        !moot,
    );
  }
}

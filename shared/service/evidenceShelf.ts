/** The evidence of a task's segments: computed one after the other, kept for as long as a dispute is open about them. */
import type { Hex } from "viem";
import type { SegmentEvidence } from "../dispute/segmentEvidence.ts";
import type { MarketBook } from "./marketBook.ts";

/** Segments whose evidence is kept without a dispute, and segments whose traced steps are kept at a time. */
const KEPT_EVIDENCE = 3;

/** The segments of a task about which a dispute is open. */
export function disputedSegments({ disputes }: Pick<MarketBook, "disputes">, taskId: Hex): ReadonlySet<number> {
  const open = [...disputes.values()].filter(
    ({ subject, walk, moot }) => subject.taskId === taskId && walk.outcome === null && !moot,
  );
  return new Set(open.map(({ subject }) => subject.segment));
}

interface Kept {
  /** Root of the state that the segment is traced from, where it may change. */
  readonly startRoot: Hex | null;
  readonly evidence: Promise<SegmentEvidence>;
  done: SegmentEvidence | null;
}

interface Waiting {
  readonly deadline: number;
  readonly start: () => void;
}

export class EvidenceShelf {
  readonly #disputed: () => ReadonlySet<number>;
  /** The one asked for last is the last. */
  readonly #kept = new Map<number, Kept>();
  readonly #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(disputed: () => ReadonlySet<number>) {
    this.#disputed = disputed;
  }

  /**
   * What is kept, or else what is computed when nothing is due earlier.
   * @param deadline when the evidence is of no use any more, in seconds of block time.
   * @param startRoot evidence from another start is computed anew.
   */
  get(
    segment: number,
    deadline: number,
    startRoot: Hex | null,
    compute: () => Promise<SegmentEvidence>,
  ): Promise<SegmentEvidence> {
    const found = this.#kept.get(segment);
    const isSame = found !== undefined && found.startRoot === startRoot;
    const kept: Kept = isSame ? found : { startRoot, evidence: this.#inTurn(deadline, compute), done: null };
    this.#kept.delete(segment);
    this.#kept.set(segment, kept);
    if (isSame) {
      this.#tidy();
      return kept.evidence;
    }
    kept.evidence.then(
      (done) => {
        kept.done = done;
        this.#tidy();
      },
      () => {
        // The next question may find a better machine.
        if (this.#kept.get(segment) === kept) this.#kept.delete(segment);
      },
    );
    return kept.evidence;
  }

  /** Side by side, the first one due would be late with the last. */
  async #inTurn<T>(deadline: number, work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((start) => this.#waiting.push({ deadline, start }));
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#waiting.sort((a, b) => a.deadline - b.deadline);
      const next = this.#waiting.shift();
      if (next === undefined) this.#isBusy = false;
      else next.start();
    }
  }

  /** A flood of disputes must cost neither the evidence of those that are open nor the memory of all their tensors. */
  #tidy(): void {
    const disputed = this.#disputed();
    const older = [...this.#kept].filter(([, { done }]) => done !== null).slice(0, -KEPT_EVIDENCE);
    for (const [segment, { done }] of older) {
      done!.forgetSteps();
      if (!disputed.has(segment)) this.#kept.delete(segment);
    }
  }
}

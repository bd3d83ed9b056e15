/**
 * A verifier's own knowledge of a task: states that it has reason to believe, replays of segments, and the evidence for disputes.
 * A replay starts at the committed checkpoint before the segment where the store has it, else at the beginning.
 */
import type { Address, Hex } from "viem";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import { SegmentEvidence } from "../shared/dispute/segmentEvidence.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentSteps } from "../shared/job/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import { fetchCheckpoint } from "../shared/service/checkpointState.ts";
import { EvidenceShelf } from "../shared/service/evidenceShelf.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";
import type { BookedCheckpoint } from "../shared/service/marketBook.ts";
import type { Store } from "../shared/store/store.ts";
import type { EvidenceProgress } from "./challengeTime.ts";
import { type Replay, type ReplayOptions, replaySegment } from "./replay.ts";

/** The replay of an earlier segment, needed for this one, already differs: that segment is the one to challenge. */
export class EarlierFaultError extends TouchstoneError {
  readonly code = "EARLIER_FAULT";
  readonly segment: number;
  constructor(segment: number) {
    super(`Segment ${segment} does not end in its committed checkpoint.`);
    this.segment = segment;
  }
}

/** A reorganisation has taken back or replaced what a replay was about: there is nothing to say about it, look again. */
export class CheckpointReplacedError extends TouchstoneError {
  readonly code = "CHECKPOINT_REPLACED";
  constructor(segment: number) {
    super(`The chain no longer has the checkpoints up to segment ${segment} that were replayed.`, {
      remedy: "It is tried again with those that replaced them.",
    });
  }
}

/** Whether a segment ends in its committed checkpoint; `unreachable` when an earlier segment already does not. */
export type Verdict = "equal" | "different" | "unreachable";

export interface SegmentReplay {
  readonly verdict: Verdict;
  readonly digests: ReadonlyMap<Address, Hex>;
}

/** Checkpoints as they stood when a replay began: the chain may replace them meanwhile. */
type Committed = readonly BookedCheckpoint[];

export class Replayer {
  readonly #task: LoadedTask;
  readonly #store: Store;
  readonly #checkpoints: () => readonly BookedCheckpoint[];
  /** The latest committed state that is known, by its root: which segment ends in it may change. */
  #known: { readonly root: Hex; readonly state: readonly Tensor[] } | null = null;
  readonly #shelf: EvidenceShelf;
  readonly #progress = new Map<number, EvidenceProgress>();

  /**
   * @param checkpoints reads them as the chain has them now: they grow, and a reorganisation replaces them.
   * @param disputed the segments whose evidence must be kept.
   */
  constructor(
    task: LoadedTask,
    store: Store,
    checkpoints: () => readonly BookedCheckpoint[],
    disputed: () => ReadonlySet<number> = () => new Set(),
  ) {
    this.#shelf = new EvidenceShelf(disputed);
    this.#task = task;
    this.#store = store;
    this.#checkpoints = checkpoints;
  }

  /**
   * Replays a segment.
   * @throws EarlierFaultError, CheckpointReplacedError, the signal's reason.
   */
  async replay(segment: number, options: ReplayOptions = {}): Promise<SegmentReplay> {
    const committed = this.#committed(segment + 1);
    try {
      const start = await this.#before(segment, committed, options.signal);
      // A diverging run is no fault: the task's engine follows the rules through invalid steps, as the contract does.
      const { endRoot, digests } = await this.#replay(segment, committed, start, options);
      this.#requireUnchanged(committed);
      return { verdict: endRoot === committed[segment]!.stateRoot ? "equal" : "different", digests };
    } catch (error) {
      if (error instanceof EarlierFaultError) this.#requireUnchanged(committed);
      throw error;
    }
  }

  /**
   * The state before a segment, which is the committed one.
   * @throws EarlierFaultError when there is no honest way to it; CheckpointReplacedError.
   */
  async before(segment: number, signal?: AbortSignal): Promise<readonly Tensor[]> {
    return this.#before(segment, this.#committed(segment), signal);
  }

  /**
   * Every trace of a segment as this verifier computes it.
   * @param deadline of the move that it is needed for: what is due first is computed first.
   * @throws EarlierFaultError, CheckpointReplacedError.
   */
  async evidence(segment: number, deadline = 0): Promise<SegmentEvidence> {
    const committed = this.#committed(segment);
    const startRoot = committed.at(-1)?.stateRoot ?? null;
    const { job, engine } = this.#task;
    const range = segmentSteps(job, segment);
    return this.#shelf.get(segment, deadline, startRoot, async () => {
      const start = await this.#before(segment, committed);
      const started = performance.now();
      return SegmentEvidence.replay(engineTracer(job, engine), start, range, {
        onStep: (done) => {
          const seconds = (performance.now() - started) / 1000;
          this.#progress.set(segment, { done, stepCount: range.stepCount, seconds });
        },
      });
    });
  }

  /** How far the evidence of a segment has come, or had when it was last computed. */
  progress(segment: number): EvidenceProgress {
    const { stepCount } = segmentSteps(this.#task.job, segment);
    return this.#progress.get(segment) ?? { done: 0, stepCount, seconds: 0 };
  }

  async #before(segment: number, committed: Committed, signal?: AbortSignal): Promise<readonly Tensor[]> {
    if (segment === 0) return this.#task.initialState;
    const before = committed[segment - 1]!;
    if (this.#known?.root === before.stateRoot) return this.#known.state;
    const fetched = await fetchCheckpoint(this.#store, this.#task.job.program, before);
    if ("state" in fetched) {
      this.#known = { root: before.stateRoot, state: fetched.state };
      return fetched.state;
    }
    const start = await this.#before(segment - 1, committed, signal);
    const options = signal === undefined ? {} : { signal };
    const { end, endRoot } = await this.#replay(segment - 1, committed, start, options);
    if (endRoot !== before.stateRoot) throw new EarlierFaultError(segment - 1);
    return end;
  }

  async #replay(
    segment: number,
    committed: Committed,
    start: readonly Tensor[],
    options: ReplayOptions,
  ): Promise<Replay> {
    const { job, engine } = this.#task;
    const replay = await replaySegment(job, engine, start, segment, options);
    if (replay.endRoot === committed[segment]!.stateRoot) this.#known = { root: replay.endRoot, state: replay.end };
    return replay;
  }

  /** The first `count` checkpoints of now. @throws CheckpointReplacedError while the chain has fewer. */
  #committed(count: number): Committed {
    const committed = this.#checkpoints().slice(0, count);
    // A log that is told again leaves a hole until it is.
    for (let segment = 0; segment < count; segment++) {
      if (committed[segment] === undefined) throw new CheckpointReplacedError(count - 1);
    }
    return committed;
  }

  #requireUnchanged(committed: Committed): void {
    const now = this.#checkpoints();
    if (committed.some(({ stateRoot }, segment) => now[segment]?.stateRoot !== stateRoot)) {
      throw new CheckpointReplacedError(committed.length - 1);
    }
  }
}

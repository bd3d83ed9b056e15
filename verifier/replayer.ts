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
import type { LoadedTask } from "../shared/service/loadTask.ts";
import type { BookedCheckpoint } from "../shared/service/marketBook.ts";
import type { Store } from "../shared/store/store.ts";
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

/** Whether a segment ends in its committed checkpoint; `unreachable` when an earlier segment already does not. */
export type Verdict = "equal" | "different" | "unreachable";

export interface SegmentReplay {
  readonly verdict: Verdict;
  readonly digests: ReadonlyMap<Address, Hex>;
}

const KEPT_EVIDENCE = 3;

export class Replayer {
  readonly #task: LoadedTask;
  readonly #store: Store;
  readonly #checkpoints: readonly BookedCheckpoint[];
  /** State after a segment, as committed: the latest one known. */
  #known: { readonly segment: number; readonly state: readonly Tensor[] } | null = null;
  readonly #evidence = new Map<number, Promise<SegmentEvidence>>();

  /** @param checkpoints as the chain has them; may grow. */
  constructor(task: LoadedTask, store: Store, checkpoints: readonly BookedCheckpoint[]) {
    this.#task = task;
    this.#store = store;
    this.#checkpoints = checkpoints;
  }

  /**
   * Replays a segment.
   * @throws EarlierFaultError, the signal's reason.
   */
  async replay(segment: number, options: ReplayOptions = {}): Promise<SegmentReplay> {
    const start = await this.before(segment, options.signal);
    // A diverging run is no fault: the task's engine follows the rules through invalid steps, as the contract does.
    const { endRoot, digests } = await this.#replay(segment, start, options);
    return { verdict: endRoot === this.#checkpoints[segment]!.stateRoot ? "equal" : "different", digests };
  }

  /**
   * The state before a segment, which is the committed one.
   * @throws EarlierFaultError when there is no honest way to it.
   */
  async before(segment: number, signal?: AbortSignal): Promise<readonly Tensor[]> {
    if (segment === 0) return this.#task.initialState;
    if (this.#known?.segment === segment - 1) return this.#known.state;
    const fetched = await fetchCheckpoint(this.#store, this.#task.job.program, this.#checkpoints[segment - 1]!);
    if ("state" in fetched) {
      this.#known = { segment: segment - 1, state: fetched.state };
      return fetched.state;
    }
    const start = await this.before(segment - 1, signal);
    const { end, endRoot } = await this.#replay(segment - 1, start, signal === undefined ? {} : { signal });
    if (endRoot !== this.#checkpoints[segment - 1]!.stateRoot) throw new EarlierFaultError(segment - 1);
    return end;
  }

  /** Every trace of a segment as this verifier computes it. @throws EarlierFaultError. */
  evidence(segment: number): Promise<SegmentEvidence> {
    const kept = this.#evidence.get(segment);
    if (kept !== undefined) return kept;
    const { job, engine } = this.#task;
    const evidence = this.before(segment).then((start) =>
      SegmentEvidence.replay(engineTracer(job, engine), start, segmentSteps(job, segment)),
    );
    this.#evidence.set(segment, evidence);
    evidence.catch(() => this.#evidence.delete(segment));
    if (this.#evidence.size > KEPT_EVIDENCE) this.#evidence.delete(this.#evidence.keys().next().value!);
    return evidence;
  }

  async #replay(segment: number, start: readonly Tensor[], options: ReplayOptions): Promise<Replay> {
    const { job, engine } = this.#task;
    const replay = await replaySegment(job, engine, start, segment, options);
    if (replay.endRoot === this.#checkpoints[segment]!.stateRoot) this.#known = { segment, state: replay.end };
    return replay;
  }
}

/** The solver's own run: the state at any checkpoint, and the evidence for any segment, honest or under a cheat. */
import { stateRootInTurns } from "../shared/commitment/stateRoot.ts";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import { SegmentEvidence, type Tracer } from "../shared/dispute/segmentEvidence.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentSteps } from "../shared/job/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import { fetchCheckpoint } from "../shared/service/checkpointState.ts";
import type { LoadedTask } from "../shared/service/loadTask.ts";
import type { BookedCheckpoint } from "../shared/service/marketBook.ts";
import type { Store } from "../shared/store/store.ts";
import type { CheatingTracer } from "./cheats/cheatingTracer.ts";
import { trainSegment } from "./training.ts";

/** This machine computes another state than it has committed. */
export class RunChangedError extends TouchstoneError {
  readonly code = "RUN_CHANGED";
  constructor(segment: number, committed: string, computed: string) {
    super(`Checkpoint ${segment} was committed as ${committed}, but this machine now computes ${computed}.`, {
      remedy:
        "The engine or the machine has changed: run `touchstone conformance` here and on the machine that trained.",
    });
  }
}

export interface SolverRunOptions {
  readonly cheat: CheatingTracer | null;
  readonly onStep: (step: number, loss: number) => void;
  readonly signal: AbortSignal;
}

/** Segments of evidence kept: a solver may have to answer for several at once. */
const KEPT_EVIDENCE = 3;

export class SolverRun {
  readonly #task: LoadedTask;
  readonly #store: Store;
  readonly #options: SolverRunOptions;
  readonly #tracer: Tracer;
  readonly #states = new Map<number, readonly Tensor[]>();
  readonly #evidence = new Map<number, Promise<SegmentEvidence>>();

  constructor(task: LoadedTask, store: Store, options: SolverRunOptions) {
    this.#task = task;
    this.#store = store;
    this.#options = options;
    this.#tracer = options.cheat ?? engineTracer(task.job, task.engine);
  }

  /** Trains segment `segment` from the state after the one before. */
  async train(segment: number, start: readonly Tensor[]): Promise<readonly Tensor[]> {
    const { job, engine } = this.#task;
    const state = await trainSegment(job, engine, start, segment, this.#options);
    this.#keep(segment, state);
    return state;
  }

  /**
   * The state before a segment: kept, from the store, or trained again from the last checkpoint that is there.
   * @throws RunChangedError when training again does not give what was committed.
   */
  async before(segment: number, checkpoints: readonly BookedCheckpoint[]): Promise<readonly Tensor[]> {
    if (segment === 0) return this.#task.initialState;
    const kept = this.#states.get(segment - 1);
    if (kept !== undefined) return kept;
    const committed = checkpoints[segment - 1];
    if (committed !== undefined) {
      const fetched = await fetchCheckpoint(this.#store, this.#task.job.program, committed);
      if ("state" in fetched) {
        this.#keep(segment - 1, fetched.state);
        return fetched.state;
      }
    }
    const state = await this.train(segment - 1, await this.before(segment - 1, checkpoints));
    if (committed !== undefined) await requireSame(segment - 1, committed, state);
    return state;
  }

  /** Every trace of a segment, for the disputes about it. */
  evidence(segment: number, checkpoints: readonly BookedCheckpoint[]): Promise<SegmentEvidence> {
    const kept = this.#evidence.get(segment);
    if (kept !== undefined) return kept;
    const evidence = this.before(segment, checkpoints).then((start) =>
      SegmentEvidence.replay(this.#tracer, start, segmentSteps(this.#task.job, segment)),
    );
    this.#evidence.set(segment, evidence);
    // The next question may find a better machine.
    evidence.catch(() => this.#evidence.delete(segment));
    if (this.#evidence.size > KEPT_EVIDENCE) this.#evidence.delete(this.#evidence.keys().next().value!);
    return evidence;
  }

  #keep(segment: number, state: readonly Tensor[]): void {
    this.#states.set(segment, state);
    // Training needs the last one; disputes fetch older ones again.
    if (this.#states.size > 2) this.#states.delete(this.#states.keys().next().value!);
  }
}

async function requireSame(segment: number, committed: BookedCheckpoint, state: readonly Tensor[]): Promise<void> {
  const root = await stateRootInTurns(state);
  if (root !== committed.stateRoot) throw new RunChangedError(segment, committed.stateRoot, root);
}

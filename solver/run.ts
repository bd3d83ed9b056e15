/** The solver's own run: the state at any checkpoint, and the evidence for any segment, honest or under a cheat. */
import { stateRootInTurns } from "../shared/commitment/stateRoot.ts";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import { SegmentEvidence, type Tracer } from "../shared/dispute/segmentEvidence.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentSteps } from "../shared/job/job.ts";
import type { Tensor } from "../shared/program/program.ts";
import { fetchCheckpoint } from "../shared/service/checkpointState.ts";
import { EvidenceShelf } from "../shared/service/evidenceShelf.ts";
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
  /** The segments whose evidence must be kept. */
  readonly disputed?: () => ReadonlySet<number>;
}

export class SolverRun {
  readonly #task: LoadedTask;
  readonly #store: Store;
  readonly #options: SolverRunOptions;
  readonly #tracer: Tracer;
  readonly #states = new Map<number, readonly Tensor[]>();
  readonly #shelf: EvidenceShelf;

  constructor(task: LoadedTask, store: Store, options: SolverRunOptions) {
    this.#task = task;
    this.#store = store;
    this.#options = options;
    this.#shelf = new EvidenceShelf(options.disputed ?? (() => new Set()));
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

  /**
   * Every trace of a segment, for the disputes about it.
   * @param deadline of the move that it is needed for: what is due first is computed first.
   */
  evidence(segment: number, checkpoints: readonly BookedCheckpoint[], deadline = 0): Promise<SegmentEvidence> {
    return this.#shelf.get(segment, deadline, null, async () => {
      const start = await this.before(segment, checkpoints);
      return SegmentEvidence.replay(this.#tracer, start, segmentSteps(this.#task.job, segment));
    });
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

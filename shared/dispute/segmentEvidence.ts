/**
 * One side's numbers of a disputed segment: every trace root and state root, and on demand every tensor below them. A whole
 * segment of traces does not fit in memory, so steps are recomputed from sparse snapshots of the state: determinism makes
 * that sound.
 */
import type { Bytes32 } from "../commitment/bytes32.ts";
import { type StepRoots, segmentTree } from "../commitment/segmentTree.ts";
import { stateTreeInTurns } from "../commitment/stateRoot.ts";
import type { TensorsTree } from "../commitment/tensorsTree.ts";
import { traceTree } from "../commitment/traceTree.ts";
import type { MerkleTree } from "../commitment/tree.ts";
import type { Tensor } from "../program/program.ts";

/** What one step produced: every operator's output in program order, and the state after it. */
export interface TracedStep {
  readonly outputs: readonly Tensor[];
  readonly state: readonly Tensor[];
}

/** Where one side's numbers come from. The same step from the same state must give the same words every time. */
export interface Tracer {
  /** @param step counted over the whole run. */
  trace(step: number, state: readonly Tensor[]): Promise<TracedStep>;
}

export interface SegmentRange {
  /** First step, counted over the whole run. */
  readonly firstStep: number;
  readonly stepCount: number;
}

export interface SegmentReplayOptions {
  /** Called after each step with the number of steps done. */
  readonly onStep?: (done: number) => void;
}

/** Traced steps kept in memory at a time: the disputed one, and the one before it while the dispute moves on. */
const KEPT_STEPS = 2;

/** Steps between two snapshots of the state. */
const spacingOf = (stepCount: number): number => Math.ceil(Math.sqrt(stepCount));

/** Most steps that are traced again for everything below one step's roots and the state before it. */
export function rebuiltSteps(stepCount: number): number {
  return 2 * spacingOf(stepCount) - 1;
}

/** Trees of one step. */
export interface StepTrees {
  readonly outputs: readonly Tensor[];
  readonly state: readonly Tensor[];
  readonly trace: TensorsTree;
  readonly after: TensorsTree;
}

/** What both strategies ask of one side's numbers. */
export type Evidence = Omit<SegmentEvidence, "forgetSteps">;

export class SegmentEvidence implements SegmentRange {
  readonly firstStep: number;
  readonly stepCount: number;
  readonly steps: readonly StepRoots[];
  /** The tree whose root is the `segmentRoot`. */
  readonly tree: MerkleTree;
  readonly #tracer: Tracer;
  /** State before step i of the segment, for some i; always for 0. */
  readonly #snapshots: ReadonlyMap<number, readonly Tensor[]>;
  readonly #kept = new Map<number, Promise<StepTrees>>();
  readonly #start: TensorsTree;

  private constructor(
    range: SegmentRange,
    tracer: Tracer,
    steps: readonly StepRoots[],
    snapshots: ReadonlyMap<number, readonly Tensor[]>,
    start: TensorsTree,
  ) {
    this.firstStep = range.firstStep;
    this.stepCount = range.stepCount;
    this.steps = steps;
    this.tree = segmentTree(steps);
    this.#tracer = tracer;
    this.#snapshots = snapshots;
    this.#start = start;
  }

  /** Steps the whole segment from `start` and keeps its roots. */
  static async replay(
    tracer: Tracer,
    start: readonly Tensor[],
    range: SegmentRange,
    options: SegmentReplayOptions = {},
  ): Promise<SegmentEvidence> {
    const spacing = spacingOf(range.stepCount);
    const snapshots = new Map<number, readonly Tensor[]>();
    const steps: StepRoots[] = [];
    let state = start;
    for (let step = 0; step < range.stepCount; step++) {
      if (step % spacing === 0) snapshots.set(step, state);
      const traced = await tracer.trace(range.firstStep + step, state);
      const [trace, after] = [await traceTree(traced.outputs), await stateTreeInTurns(traced.state)];
      steps.push({ traceRoot: trace.root, stateRoot: after.root });
      state = traced.state;
      options.onStep?.(step + 1);
    }
    return new SegmentEvidence(range, tracer, steps, snapshots, await stateTreeInTurns(start));
  }

  get segmentRoot(): Bytes32 {
    return this.tree.root;
  }

  get startRoot(): Bytes32 {
    return this.#start.root;
  }

  get endRoot(): Bytes32 {
    return this.steps[this.stepCount - 1]!.stateRoot;
  }

  /** Everything below the roots of step `step` of the segment (from 0). */
  step(step: number): Promise<StepTrees> {
    const kept = this.#kept.get(step);
    if (kept !== undefined) return kept;
    const trees = this.#rebuild(step);
    this.#kept.set(step, trees);
    // A failed rebuild (an engine that died) must not be what the next question gets.
    trees.catch(() => this.#kept.delete(step));
    if (this.#kept.size > KEPT_STEPS) this.#kept.delete(this.#kept.keys().next().value!);
    return trees;
  }

  /** Frees the tensors of the steps asked for last; they are traced again when they are asked for. */
  forgetSteps(): void {
    this.#kept.clear();
  }

  /** The state before step `step` of the segment. */
  async before(step: number): Promise<{ readonly state: readonly Tensor[]; readonly tree: TensorsTree }> {
    if (step === 0) return { state: this.#snapshots.get(0)!, tree: this.#start };
    const { state, after } = await this.step(step - 1);
    return { state, tree: after };
  }

  /** The state after each step, in order, in one pass over the segment. */
  async *states(): AsyncGenerator<readonly Tensor[]> {
    let state = this.#snapshots.get(0)!;
    for (let step = 0; step < this.stepCount; step++) {
      state = (await this.#tracer.trace(this.firstStep + step, state)).state;
      yield state;
    }
  }

  async #rebuild(step: number): Promise<StepTrees> {
    let at = step;
    while (!this.#snapshots.has(at)) at--;
    let state = this.#snapshots.get(at)!;
    for (; at < step; at++) state = (await this.#tracer.trace(this.firstStep + at, state)).state;
    const traced = await this.#tracer.trace(this.firstStep + step, state);
    return {
      outputs: traced.outputs,
      state: traced.state,
      trace: await traceTree(traced.outputs),
      after: await stateTreeInTurns(traced.state),
    };
  }
}

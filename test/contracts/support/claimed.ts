/**
 * A segment as somebody claims it: every tensor of every step with the trees over them. Claims can be false; the protocol's
 * answers are checked against them.
 */
import { descriptorsTree } from "../../../shared/commitment/descriptorsTree.ts";
import { type DigestPosition, digestLeaf, digestPosition } from "../../../shared/commitment/digest.ts";
import { segmentTree } from "../../../shared/commitment/segmentTree.ts";
import { TensorsTree } from "../../../shared/commitment/tensorsTree.ts";
import { MerkleTree } from "../../../shared/commitment/tree.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { type Job, segmentSteps, stepInputs } from "../../../shared/job/job.ts";
import { wordCount } from "../../../shared/program/descriptor.ts";
import { encodeOperator, encodeState, stateDescriptor } from "../../../shared/program/encoding.ts";
import type { Tensor } from "../../../shared/program/program.ts";

/** Words of every tensor of one step; a liar may change them, or add some in the padding. */
export interface StepWords {
  readonly outputs: Uint32Array[];
  /** State after the step. */
  readonly state: Uint32Array[];
}

/** What a liar does to a step: `outputs` before the state is taken from them, then `state` before it is carried on. */
export interface Lie {
  readonly outputs?: (step: number, outputs: Uint32Array[], state: readonly Uint32Array[]) => void;
  readonly state?: (step: number, state: Uint32Array[]) => void;
  /** After the trees of tensors: the leaves of the segment, two a step. */
  readonly leaves?: (leaves: `0x${string}`[]) => void;
}

export interface ClaimedStep {
  readonly words: StepWords;
  readonly trace: TensorsTree;
  readonly state: TensorsTree;
}

export interface Claimed {
  readonly job: Job;
  readonly firstStep: number;
  readonly start: { readonly words: readonly Uint32Array[]; readonly tree: TensorsTree };
  readonly steps: readonly ClaimedStep[];
  readonly segment: MerkleTree;
}

export interface ProgramTrees {
  readonly operators: readonly Uint8Array[];
  readonly states: readonly Uint8Array[];
  readonly operatorsTree: MerkleTree;
  readonly statesTree: MerkleTree;
}

export function programTrees({ program }: Job): ProgramTrees {
  const operators = program.operators.map(({ operator }) => encodeOperator(operator));
  const states = program.state.map((tensor) => encodeState(stateDescriptor(tensor)));
  return { operators, states, operatorsTree: descriptorsTree(operators), statesTree: descriptorsTree(states) };
}

/** Runs a segment from a state, as a liar with `lie` would claim it. */
export async function claimSegment(
  job: Job,
  segment: number,
  start: readonly Uint32Array[],
  lie: Lie = {},
): Promise<Claimed> {
  const { firstStep, stepCount } = segmentSteps(job, segment);
  const engine = new ReferenceEngine(job.program);
  const steps: ClaimedStep[] = [];
  let before = start.map((words) => words.slice());
  for (let i = 0; i < stepCount; i++) {
    const { outputs } = await engine.trace(stepInputs(job, firstStep + i, tensorsOf(job, before)));
    const words = outputs.map((tensor) => tensor.words.slice());
    lie.outputs?.(i, words, before);
    const after = job.program.state.map(({ source }, p) => (source === null ? before[p]! : words[source]!).slice());
    lie.state?.(i, after);
    const trace = new TensorsTree(words);
    steps.push({ words: { outputs: words, state: after }, trace, state: new TensorsTree(after) });
    before = after;
  }
  const leaves = steps.flatMap(({ trace, state }) => [trace.root, state.root]);
  lie.leaves?.(leaves);
  return {
    job,
    firstStep,
    start: { words: start, tree: new TensorsTree([...start]) },
    steps,
    segment: lie.leaves
      ? MerkleTree.ofHashes(leaves)
      : segmentTree(steps.map(({ trace, state }) => ({ traceRoot: trace.root, stateRoot: state.root }))),
  };
}

function tensorsOf(job: Job, words: readonly Uint32Array[]): Tensor[] {
  // A liar's padding does not reach its own computation.
  return job.program.state.map(({ dtype, shape }, p) => ({
    dtype,
    shape,
    words: words[p]!.slice(0, wordCount(shape)),
  }));
}

export function finalState(claimed: Claimed): Uint32Array[] {
  return claimed.steps.at(-1)!.words.state;
}

export interface ClaimedDigest {
  readonly positions: readonly DigestPosition[];
  readonly tree: MerkleTree;
}

export function claimDigest(
  claimed: Claimed,
  beacon: `0x${string}`,
  verifier: `0x${string}`,
  lie?: (leaves: `0x${string}`[]) => void,
): ClaimedDigest {
  const counts = claimed.job.program.state.map(({ shape }) => wordCount(shape));
  const positions = claimed.steps.map((_, i) => digestPosition(beacon, verifier, i, counts));
  const leaves = claimed.steps.map(({ words }, i) =>
    digestLeaf(
      positions[i]!,
      words.state.map((tensor) => ({ words: tensor })),
    ),
  );
  lie?.(leaves);
  return { positions, tree: MerkleTree.ofHashes(leaves) };
}

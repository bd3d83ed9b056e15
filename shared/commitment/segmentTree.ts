/** The commitment to a segment: for its step i, leaf 2i is the trace's root and leaf 2i + 1 the root of the state after it. */
import type { Bytes32 } from "./bytes32.ts";
import { MerkleTree } from "./tree.ts";
import { depthOf } from "./treeProof.ts";

export interface StepRoots {
  readonly traceRoot: Bytes32;
  /** State after the step. */
  readonly stateRoot: Bytes32;
}

/** Depth of the tree over a segment of `steps` steps. */
export function segmentDepth(steps: number): number {
  return depthOf(2 * steps);
}

/** @throws EmptyTreeError for a segment without steps. */
export function segmentTree(steps: readonly StepRoots[]): MerkleTree {
  return MerkleTree.ofHashes(steps.flatMap((step) => [step.traceRoot, step.stateRoot]));
}

/**
 * A segment as a dishonest defendant claims it: the numbers of every step, and the trees over them, which may be false in
 * themselves. What a player reads of its evidence is read from here.
 */
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { stateTree } from "../../shared/commitment/stateRoot.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import type { Evidence, SegmentRange, TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import type { Tensor } from "../../shared/program/program.ts";

/** A tree of tensors in a step: its trace, or the state after it. */
export interface TreePlace {
  /** Step of the segment, from 0. */
  readonly step: number;
  readonly ofState: boolean;
}

/** Changes to the leaves of trees; what they say need not be what the numbers say. */
export interface TreeEdits {
  readonly tiles?: (place: TreePlace & { readonly tensor: number }, hashes: Bytes32[]) => void;
  readonly roots?: (place: TreePlace, roots: Bytes32[]) => void;
  readonly leaves?: (leaves: Bytes32[]) => void;
}

interface Trees {
  readonly root: Bytes32;
  readonly outer: MerkleTree;
  tensor(tensor: number): MerkleTree;
}

/** The steps' trees by the numbers alone, shared by all claims that have these steps. */
const honestTrees = new WeakMap<TracedStep, { readonly trace: TensorsTree; readonly after: TensorsTree }>();

function treesOf(step: TracedStep): { readonly trace: TensorsTree; readonly after: TensorsTree } {
  let trees = honestTrees.get(step);
  if (trees === undefined) {
    const of = (tensors: readonly Tensor[]): TensorsTree => new TensorsTree(tensors.map(({ words }) => words));
    trees = { trace: of(step.outputs), after: of(step.state) };
    honestTrees.set(step, trees);
  }
  return trees;
}

function leavesOf(tree: MerkleTree): Bytes32[] {
  return Array.from({ length: tree.leafCount }, (_, leaf) => tree.node(0, leaf));
}

function edited(tree: TensorsTree, place: TreePlace, tensors: number, edits: TreeEdits): Trees {
  const inner: MerkleTree[] = [];
  for (let tensor = 0; tensor < tensors; tensor++) {
    const hashes = leavesOf(tree.tensor(tensor));
    edits.tiles?.({ ...place, tensor }, hashes);
    inner.push(MerkleTree.ofHashes(hashes));
  }
  const roots = inner.map(({ root }) => root);
  edits.roots?.(place, roots);
  const outer = MerkleTree.ofHashes(roots);
  return { root: outer.root, outer, tensor: (tensor) => inner[tensor]! };
}

export class Claim implements SegmentRange {
  readonly firstStep: number;
  readonly stepCount: number;
  readonly tree: MerkleTree;
  /** State before the segment. */
  readonly start: readonly Tensor[];
  readonly numbers: readonly TracedStep[];
  readonly #trees: readonly { readonly trace: Trees; readonly after: Trees }[];

  constructor(range: SegmentRange, start: readonly Tensor[], numbers: readonly TracedStep[], edits: TreeEdits = {}) {
    this.firstStep = range.firstStep;
    this.stepCount = range.stepCount;
    this.start = start;
    this.numbers = numbers;
    const areEdited = edits.tiles !== undefined || edits.roots !== undefined;
    this.#trees = numbers.map((step, at) => {
      const { trace, after } = treesOf(step);
      if (!areEdited) return { trace, after };
      return {
        trace: edited(trace, { step: at, ofState: false }, step.outputs.length, edits),
        after: edited(after, { step: at, ofState: true }, step.state.length, edits),
      };
    });
    const leaves = this.#trees.flatMap(({ trace, after }) => [trace.root, after.root]);
    edits.leaves?.(leaves);
    this.tree = MerkleTree.ofHashes(leaves);
  }

  get segmentRoot(): Bytes32 {
    return this.tree.root;
  }

  get endRoot(): Bytes32 {
    return this.tree.node(0, 2 * this.stepCount - 1);
  }

  get startRoot(): Bytes32 {
    return stateTree(this.start).root;
  }

  async step(step: number) {
    return { ...this.numbers[step]!, ...this.#trees[step]! };
  }

  async before(step: number) {
    return { state: step === 0 ? this.start : this.numbers[step - 1]!.state };
  }

  async *states(): AsyncGenerator<readonly Tensor[]> {
    for (const { state } of this.numbers) yield state;
  }

  /** As a player takes it. */
  get evidence(): Evidence {
    // SAFETY: a defendant and a false accuser read of their evidence only what is here.
    return this as unknown as Evidence;
  }

  /** The tree at a place, by leaves. */
  tensorsAt({ step, ofState }: TreePlace): Trees {
    const { trace, after } = this.#trees[step]!;
    return ofState ? after : trace;
  }
}

/** The first leaf in which two trees differ, from the segment's down to a tile's word; what lies above the fault is undefined. */
export interface FirstFault {
  readonly leaf: number;
  readonly tensor?: number;
  readonly tile?: number;
  /** Word of the tile. */
  readonly word?: number;
  readonly expected?: number;
  readonly claimed?: number;
}

/** Leaf by leaf, without the walk's code: null where the claims are equal. */
export function firstFault(honest: Claim, lying: Claim): FirstFault | null {
  const leaf = differs(honest.tree, lying.tree);
  if (leaf === null) return null;
  const place: TreePlace = { step: leaf >> 1, ofState: leaf % 2 === 1 };
  if (place.step >= honest.stepCount) return { leaf };
  const [right, wrong] = [honest.tensorsAt(place), lying.tensorsAt(place)];
  // A root that is not that of the tree below it cannot be opened.
  if (wrong.root !== lying.tree.node(0, leaf)) return { leaf };
  const tensor = differs(right.outer, wrong.outer);
  if (tensor === null) return { leaf };
  const count = right.outer.leafCount;
  if (tensor >= count || wrong.tensor(tensor).root !== wrong.outer.node(0, tensor)) return { leaf, tensor };
  const tile = differs(right.tensor(tensor), wrong.tensor(tensor));
  if (tile === null || tile >= right.tensor(tensor).leafCount)
    return { leaf, tensor, ...(tile === null ? {} : { tile }) };
  const [expected, claimed] = [honest, lying].map(({ numbers }) => {
    const { outputs, state } = numbers[place.step]!;
    return (place.ofState ? state : outputs)[tensor]!.words.subarray(64 * tile, 64 * tile + 64);
  }) as [Uint32Array, Uint32Array];
  const word = Array.from({ length: 64 }, (_, at) => at).find((at) => (expected[at] ?? 0) !== (claimed[at] ?? 0));
  if (word === undefined) return { leaf, tensor, tile };
  return { leaf, tensor, tile, word, expected: expected[word] ?? 0, claimed: claimed[word] ?? 0 };
}

function differs(a: MerkleTree, b: MerkleTree): number | null {
  const leaves = Math.max(a.leafCount, b.leafCount);
  const leaf = (tree: MerkleTree, at: number): Bytes32 => (at < tree.leafCount ? tree.node(0, at) : ZERO_BYTES32);
  for (let at = 0; at < leaves; at++) if (leaf(a, at) !== leaf(b, at)) return at;
  return null;
}

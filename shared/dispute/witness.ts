/**
 * What a challenger brings to an adjudication: tiles of the operands, proved against roots that the defendant itself committed
 * (docs/protocol.md, section 3).
 */
import { type Bytes32, ZERO_BYTES32 } from "../commitment/bytes32.ts";
import type { TileProof } from "../commitment/tensorsTree.ts";
import { stepPosition } from "../job/job.ts";
import { type WitnessTile, witnessTiles } from "../operators/witness.ts";
import { claimedTree } from "./claimed.ts";
import type { ClaimedTree } from "./claimedTree.ts";
import { type StepProof, type TileWitness, toHex } from "./moves.ts";
import type { Range } from "./parts.ts";
import { Level } from "./position.ts";
import type { Run } from "./run.ts";
import type { Evidence } from "./segmentEvidence.ts";
import { readerOf } from "./stepReader.ts";
import type { Walk } from "./walk.ts";

export interface Adjudication {
  readonly step: StepProof;
  readonly witness: readonly TileWitness[];
}

const NO_ROOT: { readonly root: Bytes32; readonly siblings: readonly Bytes32[] } = { root: ZERO_BYTES32, siblings: [] };

/** Neither root: for a word beyond the tensor, which needs no witness. */
export const NO_WITNESS: Adjudication = {
  step: {
    traceRoot: ZERO_BYTES32,
    traceSiblings: [],
    stateRoot: ZERO_BYTES32,
    stateSiblings: [],
  },
  witness: [],
};

/** For an element of operator `walk.position.tensor` over a range of its reduced axis; [0, 1) where nothing is reduced. */
export async function operatorWitness(
  run: Run,
  evidence: Evidence,
  walk: Walk,
  element: number,
  range: Range,
): Promise<Adjudication> {
  const { step, tensor } = walk.position;
  const { operator } = run.program.operators[tensor]!;
  const { trace, outputs } = await evidence.step(step);
  const before = await evidence.before(step);
  const read = readerOf(run, operator, outputs, before.state);
  const tiles = witnessTiles(
    operator,
    element,
    range.lo,
    range.hi,
    read,
    stepPosition(run.job, evidence.firstStep + step),
  );
  const claimedTrace = claimedTree(walk, Level.trace, trace.outer);
  const uses = (kind: WitnessTile["source"]["kind"]): boolean => tiles.some(({ source }) => source.kind === kind);
  const dataset = uses("sample") ? await run.hashedDataset() : null;
  const tileOf = ({ source, tile }: WitnessTile): TileProof => {
    switch (source.kind) {
      case "operator":
        return tileUnder(trace.tileProof(source.index, tile), claimedTrace, source.index);
      case "state":
        return before.tree.tileProof(source.index, tile);
      case "constant":
        return run.constants.tileProof(source.index, tile);
      case "sample":
        return dataset!.tileProof(source.index, tile);
      case "schedule":
        return run.schedule.tileProof(0, tile);
    }
  };
  const witness = tiles.map((tile) => toWitness(tileOf(tile)));
  return { step: stepProof(evidence, walk, uses("operator"), uses("state")), witness };
}

/** For a word of state tensor `walk.position.tensor`: the same tile of its source in the trace, or of itself before the step. */
export async function sourceWitness(run: Run, evidence: Evidence, walk: Walk): Promise<Adjudication> {
  const { step, tensor, index } = walk.position;
  const { source } = run.program.state[tensor]!;
  const { trace } = await evidence.step(step);
  const tile =
    source === null ? (await evidence.before(step)).tree.tileProof(tensor, index) : trace.tileProof(source, index);
  return { step: stepProof(evidence, walk, source !== null, source === null), witness: [toWitness(tile)] };
}

function stepProof(evidence: Evidence, walk: Walk, needsTrace: boolean, needsState: boolean): StepProof {
  const { step } = walk.position;
  const segment = claimedTree(walk, Level.segment, evidence.tree);
  const proved = (leaf: number): typeof NO_ROOT => ({ root: segment.node(0, leaf), siblings: segment.proof(leaf) });
  const trace = needsTrace ? proved(2 * step) : NO_ROOT;
  // The state before the segment is the subject's, which the game takes from there.
  const state = needsState && step > 0 ? proved(2 * step - 1) : NO_ROOT;
  return {
    traceRoot: trace.root,
    traceSiblings: trace.siblings,
    stateRoot: state.root,
    stateSiblings: state.siblings,
  };
}

/** The tile's proof with the outer siblings as the defendant has revealed them. */
function tileUnder(proof: TileProof, outer: ClaimedTree, tensor: number): TileProof {
  const inner = proof.siblings.slice(0, proof.siblings.length - outer.depth);
  return { ...proof, siblings: [...inner, ...outer.proof(tensor)] };
}

function toWitness({ words, siblings }: TileProof): TileWitness {
  return { words: toHex(words), siblings };
}

/**
 * The defendant's side of a dispute: it opens what it is asked to open, from its own numbers. Pure: the walk and the evidence
 * in, the next move out.
 */
import { type Bytes32, ZERO_BYTES32 } from "../commitment/bytes32.ts";
import { digestLeaf, digestPosition, digestTree } from "../commitment/digest.ts";
import { tileBytes } from "../commitment/tile.ts";
import type { MerkleTree } from "../commitment/tree.ts";
import { TouchstoneError } from "../errors.ts";
import { wordCount } from "../program/descriptor.ts";
import type { DisputedSegment } from "./events.ts";
import { type DefendantMove, toDescriptorArgument, toHex } from "./moves.ts";
import { asReducing, partialValues } from "./partials.ts";
import { Level } from "./position.ts";
import type { Run } from "./run.ts";
import type { Evidence } from "./segmentEvidence.ts";
import { readerOf } from "./stepReader.ts";
import type { Walk } from "./walk.ts";

/** The evidence does not lead to what this defendant has committed on the chain. */
export class EvidenceMismatchError extends TouchstoneError {
  readonly code = "EVIDENCE_MISMATCH";
  constructor(what: string, committed: string, own: string) {
    super(`The evidence gives the ${what} ${own}, but ${committed} is committed.`, {
      remedy:
        "The dispute cannot be defended from this machine: check its engine with 'touchstone conformance' and its journal.",
    });
  }
}

/** What partial results a defendant claims; an honest one says what they are. */
export type ClaimPartials = typeof honestPartials;

export interface DefendantOptions {
  readonly claimPartials?: ClaimPartials;
}

/**
 * The move that the defendant must make, or null when it is the challenger's turn or the dispute is over.
 * @throws EvidenceMismatchError when the evidence is not what was committed: any move would be rejected.
 */
export async function defend(
  run: Run,
  evidence: Evidence,
  walk: Walk,
  options: DefendantOptions = {},
): Promise<DefendantMove | null> {
  if (walk.outcome !== null || walk.turn !== "defendant") return null;
  const { level, index, step, tensor, ofState } = walk.position;
  switch (level) {
    case Level.answer: {
      const subject = walk.subject!;
      if (evidence.endRoot !== subject.endRoot) {
        throw new EvidenceMismatchError("checkpoint", subject.endRoot, evidence.endRoot);
      }
      const { segmentRoot, tree } = evidence;
      const answer = { kind: "answer", segmentRoot, siblings: tree.proof(2 * evidence.stepCount - 1) } as const;
      // About a verifier's answer the challenger chooses a tree first.
      return subject.digestRoot === ZERO_BYTES32 ? { ...answer, children: tree.opening(tree.depth, 0) } : answer;
    }
    case Level.segment:
      return open(evidence.tree, walk);
    case Level.trace:
      return open((await evidence.step(step)).trace.outer, walk);
    case Level.state:
      return open((await evidence.step(step)).after.outer, walk);
    case Level.digest:
      return open(await digestOf(run, evidence, walk.subject!), walk);
    case Level.tensor: {
      const { trace, after } = await evidence.step(step);
      return open((ofState ? after : trace).tensor(tensor), walk);
    }
    case Level.tile: {
      const { outputs, state } = await evidence.step(step);
      return { kind: "openTile", words: toHex(tileBytes((ofState ? state : outputs)[tensor]!.words, index)) };
    }
    case Level.partials: {
      const claim = await (options.claimPartials ?? honestPartials)(run, evidence, walk);
      return { kind: "claimPartials", descriptor: toDescriptorArgument(run.operator(tensor)), ...claim };
    }
    default:
      return null;
  }
}

/** The exact partial results of the element that the walk stands on. */
export async function honestPartials(
  run: Run,
  evidence: Evidence,
  walk: Walk,
): Promise<{ readonly exponent: bigint; readonly values: readonly bigint[] }> {
  const { step, tensor, element, lo, hi } = walk.position;
  const operator = asReducing(run.program.operators[tensor]!.operator);
  const { outputs } = await evidence.step(step);
  const read = readerOf(run, operator, outputs, (await evidence.before(step)).state);
  const { exponent, values } = partialValues(operator, walk.wordAt(element), { lo, hi }, read);
  return { exponent: BigInt(exponent), values };
}

/** The tree over the digest that the disputed verifier must have computed from these numbers. */
export async function digestOf(
  run: Run,
  evidence: Evidence,
  { beacon, defendant }: Pick<DisputedSegment, "beacon" | "defendant">,
): Promise<MerkleTree> {
  const counts = run.program.state.map(({ shape }) => wordCount(shape));
  const leaves: Bytes32[] = [];
  for await (const state of evidence.states()) {
    leaves.push(digestLeaf(digestPosition(beacon, defendant, leaves.length, counts), state));
  }
  return digestTree(leaves);
}

function open(tree: MerkleTree, walk: Walk): DefendantMove {
  const { height, index } = walk.position;
  if (tree.node(height, index) !== walk.node) {
    throw new EvidenceMismatchError("node", String(walk.node), tree.node(height, index));
  }
  return { kind: "open", children: tree.opening(height, index) };
}

/**
 * The challenger's side of a dispute: it names the first difference from its own numbers and has it recomputed. Pure: the
 * walk and the evidence in, the next move out.
 */

import type { Bytes32 } from "../commitment/bytes32.ts";
import { digestPosition } from "../commitment/digest.ts";
import { partialsTree } from "../commitment/partialsTree.ts";
import { bytesToWords, tileBytes } from "../commitment/tile.ts";
import { MerkleTree } from "../commitment/tree.ts";
import { TouchstoneError } from "../errors.ts";
import { isAdjudicable } from "../operators/witness.ts";
import { wordCount } from "../program/descriptor.ts";
import { digestOf } from "./defendant.ts";
import { type ChallengerMove, type Choice, type PartialChoice, tileToHex, toDescriptorArgument } from "./moves.ts";
import { asReducing, partialValues } from "./partials.ts";
import { partOf } from "./parts.ts";
import { childOf, Level } from "./position.ts";
import type { Run } from "./run.ts";
import type { Evidence } from "./segmentEvidence.ts";
import { readerOf } from "./stepReader.ts";
import type { Walk } from "./walk.ts";
import { NO_WITNESS, operatorWitness, sourceWitness } from "./witness.ts";

/** What the defendant published equals the challenger's own numbers: there is no case. */
export class NoDifferenceError extends TouchstoneError {
  readonly code = "NO_DIFFERENCE";
  constructor(where: string) {
    super(`The defendant's ${where} is the challenger's own: nothing is wrong with it.`, {
      remedy: "This dispute should not have been opened; the bond is lost when the clock runs out.",
    });
  }
}

/**
 * The move that the challenger must make, or null when it is the defendant's turn or the dispute is over.
 * @throws NoDifferenceError when the defendant is right.
 */
export async function accuse(run: Run, evidence: Evidence, walk: Walk): Promise<ChallengerMove | null> {
  if (walk.outcome !== null || walk.turn !== "challenger") return null;
  const { level, step, tensor, ofState } = walk.position;
  switch (level) {
    case Level.fork:
      return { kind: "enterTree", digest: walk.segmentRoot === evidence.segmentRoot };
    case Level.segment:
      return judgeChild(run, evidence, walk, firstDifference(walk, evidence.tree, "segment"));
    case Level.trace: {
      const { trace } = await evidence.step(step);
      return judgeChild(run, evidence, walk, firstDifference(walk, trace.outer, "trace"));
    }
    case Level.state: {
      const { after } = await evidence.step(step);
      return judgeChild(run, evidence, walk, firstDifference(walk, after.outer, "state"));
    }
    case Level.tensor: {
      const { trace, after } = await evidence.step(step);
      return judgeChild(run, evidence, walk, firstDifference(walk, (ofState ? after : trace).tensor(tensor), "tensor"));
    }
    case Level.digest:
      return judgeChild(
        run,
        evidence,
        walk,
        firstDifference(walk, await digestOf(run, evidence, walk.subject!), "digest"),
      );
    case Level.tile:
      return accuseTile(run, evidence, walk);
    case Level.partials:
      return accusePartials(run, evidence, walk);
    default:
      return null;
  }
}

/** The move that takes a child of the published opening: the next node, or what a leaf of the tree leads to. */
export async function judgeChild(run: Run, evidence: Evidence, walk: Walk, child: number): Promise<ChallengerMove> {
  const choice = choiceOf(walk, child);
  const { height, index } = childOf(walk.position, child);
  if (height > 0) return { kind: "choose", choice };
  switch (walk.position.level) {
    case Level.segment:
      // A leaf in the padding is decided by the choice itself.
      return index < 2 * evidence.stepCount ? { kind: "enterStep", choice } : { kind: "choose", choice };
    case Level.trace:
      if (index >= run.program.operators.length) return { kind: "choose", choice };
      return { kind: "enterTensor", choice, descriptor: toDescriptorArgument(run.operator(index)) };
    case Level.state:
      if (index >= run.program.state.length) return { kind: "choose", choice };
      return { kind: "enterTensor", choice, descriptor: toDescriptorArgument(run.state(index)) };
    case Level.digest:
      return index < evidence.stepCount ? judgeDigest(run, evidence, walk, choice, index) : { kind: "choose", choice };
    default:
      return { kind: "choose", choice };
  }
}

async function accuseTile(run: Run, evidence: Evidence, walk: Walk): Promise<ChallengerMove> {
  const { step, tensor, ofState, index } = walk.position;
  const { outputs, state } = await evidence.step(step);
  const own = bytesToWords(tileBytes((ofState ? state : outputs)[tensor]!.words, index));
  const claimed = walk.tile!;
  const element = own.findIndex((word, position) => word !== claimed[position]);
  if (element < 0) throw new NoDifferenceError("tile");
  return judgeWord(run, evidence, walk, element);
}

/** The move that has word `element` of the open tile recomputed, at once or by its partial results. */
export async function judgeWord(run: Run, evidence: Evidence, walk: Walk, element: number): Promise<ChallengerMove> {
  const { tensor, ofState, count } = walk.position;
  const word = { element, words: tileToHex(walk.tile!) };
  const descriptor = toDescriptorArgument(ofState ? run.state(tensor) : run.operator(tensor));
  if (walk.wordAt(element) >= count) return { kind: "adjudicate", ...word, descriptor, ...NO_WITNESS };
  if (ofState) return { kind: "adjudicate", ...word, descriptor, ...(await sourceWitness(run, evidence, walk)) };
  const { operator } = run.program.operators[tensor]!;
  const position = walk.wordAt(element);
  const length = "length" in operator ? operator.length : 1;
  if ("length" in operator && length > 1 && !isAdjudicable(operator, position, 0, length)) {
    return { kind: "demandPartials", ...word, descriptor };
  }
  const adjudication = await operatorWitness(run, evidence, walk, position, { lo: 0, hi: length });
  return { kind: "adjudicate", ...word, descriptor, ...adjudication };
}

async function accusePartials(run: Run, evidence: Evidence, walk: Walk): Promise<ChallengerMove> {
  const { step, tensor, element, lo, hi } = walk.position;
  if (walk.published?.kind !== "partials") throw new NoDifferenceError("claim");
  const { exponent, values } = walk.published;
  const operator = asReducing(run.program.operators[tensor]!.operator);
  const { outputs } = await evidence.step(step);
  const read = readerOf(run, operator, outputs, (await evidence.before(step)).state);
  const own = partialValues(operator, walk.wordAt(element), { lo, hi }, read);
  const differs = (part: number): boolean =>
    !sameValue(values[part]!, exponent, own.values[part]!, BigInt(own.exponent));
  let part = values.findIndex((_, position) => differs(position));
  // All values stand for the same numbers but on another scale: any part shows the wrong exponent.
  if (part < 0 && exponent !== BigInt(own.exponent)) part = 0;
  if (part < 0) throw new NoDifferenceError("partial result");
  return judgePart(run, evidence, walk, part);
}

/** The move that has one of the sixteen published values recomputed, or split further. */
export async function judgePart(run: Run, evidence: Evidence, walk: Walk, part: number): Promise<ChallengerMove> {
  if (walk.published?.kind !== "partials") throw new NoDifferenceError("claim");
  const { tensor, element } = walk.position;
  const { values } = walk.published;
  const operator = asReducing(run.program.operators[tensor]!.operator);
  const position = walk.wordAt(element);
  const siblings = partialsTree(values).proof(part) as unknown as PartialChoice["siblings"];
  const choice: PartialChoice = { part, value: values[part]!, siblings };
  const range = partOf(walk.position, part);
  if (!isAdjudicable(operator, position, range.lo, range.hi)) return { kind: "choosePartial", choice };
  const descriptor = toDescriptorArgument(run.operator(tensor));
  const adjudication = await operatorWitness(run, evidence, walk, position, range);
  return { kind: "adjudicatePartial", choice, descriptor, ...adjudication };
}

async function judgeDigest(
  run: Run,
  evidence: Evidence,
  walk: Walk,
  choice: Choice,
  step: number,
): Promise<ChallengerMove> {
  const counts = run.program.state.map(({ shape }) => wordCount(shape));
  const { beacon, defendant } = walk.subject!;
  const { tensor, tile } = digestPosition(beacon, defendant, step, counts);
  const { after } = await evidence.step(step);
  return {
    kind: "adjudicateDigest",
    choice,
    descriptor: toDescriptorArgument(run.state(tensor)),
    tileHash: after.tensor(tensor).node(0, tile),
    siblings: [...after.tileProof(tensor, tile).siblings, ...evidence.tree.proof(2 * step + 1)],
  };
}

/** The first child of the published opening that is not the player's own. */
function firstDifference(walk: Walk, own: MerkleTree, where: string): number {
  const { height, index } = childOf(walk.position, 0);
  const child = childrenOf(walk).findIndex((hash, position) => hash !== own.node(height, index + position));
  if (child < 0) throw new NoDifferenceError(where);
  return child;
}

/** The choice of a child of the published opening with its siblings up to the node. */
function choiceOf(walk: Walk, child: number): Choice {
  const children = childrenOf(walk);
  return { child, hash: children[child]!, siblings: MerkleTree.ofHashes(children).proof(child) };
}

function childrenOf(walk: Walk): readonly Bytes32[] {
  if (walk.published?.kind !== "children") throw new NoDifferenceError("opening");
  return walk.published.children;
}

/** Whether two values at their scales are the same number. */
function sameValue(a: bigint, aExponent: bigint, b: bigint, bExponent: bigint): boolean {
  const least = aExponent < bExponent ? aExponent : bExponent;
  return a << (aExponent - least) === b << (bExponent - least);
}

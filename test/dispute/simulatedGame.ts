/**
 * The rules of `contracts/DisputeGame.sol` over moves in memory, written from docs/protocol.md: it checks every proof against
 * what was committed and decides by the element rules. No clock; a side that cannot move loses.
 */
import assert from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import { type Bytes32, toBytes32, ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { digestPosition } from "../../shared/commitment/digest.ts";
import { partialsTree } from "../../shared/commitment/partialsTree.ts";
import { segmentDepth } from "../../shared/commitment/segmentTree.ts";
import { sha256 } from "../../shared/commitment/sha256.ts";
import { tensorDepth } from "../../shared/commitment/tensorRoot.ts";
import { bytesToWords, TILE_WORDS, tileHash } from "../../shared/commitment/tile.ts";
import {
  depthOf,
  foldOpening,
  nestedIndex,
  openingHeight,
  verifyProof,
  zeroHash,
} from "../../shared/commitment/treeProof.ts";
import type { DisputedSegment, DisputeEvent, Reason } from "../../shared/dispute/events.ts";
import { REASONS } from "../../shared/dispute/events.ts";
import type { Choice, DescriptorArgument, Move, StepProof, TileWitness } from "../../shared/dispute/moves.ts";
import { asReducing } from "../../shared/dispute/partials.ts";
import { partOf, partsOf } from "../../shared/dispute/parts.ts";
import { childOf, Level, type Position } from "../../shared/dispute/position.ts";
import type { Run } from "../../shared/dispute/run.ts";
import { Walk } from "../../shared/dispute/walk.ts";
import { sampleCount, stepPosition } from "../../shared/job/job.ts";
import { combine, element, finish, partialValue } from "../../shared/operators/element.ts";
import type { Read } from "../../shared/operators/read.ts";
import { type Operator, wordCount } from "../../shared/program/descriptor.ts";
import { decodeOperator, decodeState } from "../../shared/program/encoding.ts";

const CHALLENGER = "0x00000000000000000000000000000000000000c4";

interface Roots {
  readonly trace: Bytes32;
  readonly state: Bytes32;
}

export class SimulatedGame {
  readonly walk: Walk;
  readonly #run: Run;
  readonly #subject: DisputedSegment;
  readonly moves: Move["kind"][] = [];
  #exponent = 0n;
  #atElement = false;

  constructor(run: Run, subject: DisputedSegment) {
    this.#run = run;
    this.#subject = subject;
    const { operators, state } = run.program;
    this.walk = new Walk({ operatorCount: operators.length, stateCount: state.length });
    this.walk.apply({ eventName: "DisputeOpened", args: { subject, challenger: CHALLENGER } });
  }

  play(move: Move): void {
    const { walk } = this;
    assert.equal(walk.outcome, null);
    this.moves.push(move.kind);
    const event = this.#judge(move);
    walk.apply(event);
  }

  #judge(move: Move): DisputeEvent {
    const { walk } = this;
    const { level, height, index, step, tensor } = walk.position;
    const turn = ["answer", "open", "openTile", "claimPartials"].includes(move.kind) ? "defendant" : "challenger";
    assert.equal(walk.turn, turn, `${move.kind} in the other side's turn`);
    switch (move.kind) {
      case "answer": {
        assert.equal(level, Level.answer);
        const { stepCount, endRoot, digestRoot } = this.#subject;
        const depth = segmentDepth(stepCount);
        assert(verifyProof(move.segmentRoot, endRoot, 2 * stepCount - 1, move.siblings, depth));
        const next = digestRoot === ZERO_BYTES32 ? Level.segment : Level.fork;
        return { eventName: "Answered", args: { segmentRoot: move.segmentRoot, level: next } };
      }
      case "enterTree": {
        assert.equal(level, Level.fork);
        const node = move.digest ? this.#subject.digestRoot : walk.segmentRoot!;
        return { eventName: "TreeEntered", args: { level: move.digest ? Level.digest : Level.segment, node } };
      }
      case "open":
        assert(([Level.segment, Level.trace, Level.state, Level.tensor, Level.digest] as number[]).includes(level));
        assert.equal(move.children.length, 2 ** openingHeight(height));
        assert.equal(foldOpening(move.children), walk.node);
        return { eventName: "NodeOpened", args: { children: move.children } };
      case "choose": {
        const next = this.#descend(move.choice);
        if (next.index * 2 ** next.height >= this.#leaves()) {
          return resolved(move.choice.hash !== zeroHash(next.height), "opening");
        }
        assert(next.height > 0 || level === Level.tensor, "a leaf has a move of its own");
        return { eventName: "ChildChosen", args: { child: move.choice.child, node: move.choice.hash } };
      }
      case "enterStep": {
        assert.equal(level, Level.segment);
        const leaf = this.#leaf(move.choice);
        const args = { child: move.choice.child, node: move.choice.hash, step: leaf >> 1 };
        return { eventName: "StepEntered", args: { ...args, level: leaf % 2 === 0 ? Level.trace : Level.state } };
      }
      case "enterTensor": {
        assert(level === Level.trace || level === Level.state);
        const ofState = level === Level.state;
        const leaf = this.#leaf(move.choice);
        const count = this.#count(move.descriptor, leaf, ofState);
        const args = { child: move.choice.child, node: move.choice.hash, tensor: leaf, ofState, count: BigInt(count) };
        return { eventName: "TensorEntered", args };
      }
      case "openTile":
        assert.equal(level, Level.tile);
        assert.equal(tileHash(bytes(move.words)), walk.node);
        return { eventName: "TileOpened", args: { words: move.words } };
      case "adjudicate":
        assert.equal(level, Level.tile);
        return this.#adjudicate(move.element, move.descriptor, move.step, move.witness);
      case "demandPartials": {
        assert.equal(level, Level.tile);
        assert(!walk.position.ofState);
        const operator = this.#operator(move.descriptor);
        assert(walk.wordAt(move.element) < wordCount(operator.shape));
        const { length } = asReducing(operator);
        assert(length >= 2);
        this.#atElement = true;
        const word = walk.tile![move.element]!;
        return { eventName: "PartialsDemanded", args: { element: move.element, word, length } };
      }
      case "claimPartials": {
        assert.equal(level, Level.partials);
        const operator = asReducing(this.#operator(move.descriptor));
        const total = combine(operator, move.values);
        for (const [part, { lo, hi }] of partsOf(walk.position).entries()) {
          if (lo === hi) assert.equal(move.values[part], 0n);
        }
        if (this.#atElement) {
          this.#exponent = move.exponent;
          assert.equal(finish(operator, total, move.exponent), walk.tile![walk.position.element]);
        } else {
          assert.equal(move.exponent, this.#exponent);
          assert.equal(total, walk.claim);
        }
        return { eventName: "PartialsClaimed", args: { exponent: move.exponent, values: move.values } };
      }
      case "choosePartial": {
        const { lo, hi } = this.#part(move.choice);
        assert(hi - lo > 1);
        this.#atElement = false;
        return { eventName: "PartialChosen", args: { part: move.choice.part, value: move.choice.value, lo, hi } };
      }
      case "adjudicatePartial": {
        const { lo, hi } = this.#part(move.choice);
        const operator = asReducing(this.#operator(move.descriptor));
        const read = this.#reader(operator, this.#roots(move.step), move.witness);
        const { value, exponent } = partialValue(operator, walk.wordAt(walk.position.element), lo, hi, read);
        return resolved(value !== move.choice.value || BigInt(exponent) !== this.#exponent, "partial");
      }
      case "adjudicateDigest": {
        assert.equal(level, Level.digest);
        const leaf = this.#leaf(move.choice);
        const { state } = this.#run.program;
        const counts = state.map(({ shape }) => wordCount(shape));
        const place = digestPosition(this.#subject.beacon, this.#subject.defendant, leaf, counts);
        const count = this.#count(move.descriptor, place.tensor, true);
        const inner = tensorDepth(count);
        const outer = inner + depthOf(state.length);
        const position = (BigInt(2 * leaf + 1) << BigInt(outer)) | nestedIndex(place.tensor, place.tile, inner);
        const depth = outer + segmentDepth(this.#subject.stepCount);
        assert(verifyProof(walk.segmentRoot!, move.tileHash, position, move.siblings, depth));
        return resolved(move.tileHash !== move.choice.hash, "digest");
      }
    }
    throw new Error(`unplayable ${JSON.stringify({ index, step, tensor })}`);
  }

  #adjudicate(
    at: number,
    descriptor: DescriptorArgument,
    step: StepProof,
    witness: readonly TileWitness[],
  ): DisputeEvent {
    const { tensor, ofState, index } = this.walk.position;
    const word = this.walk.tile![at]!;
    const count = this.#count(descriptor, tensor, ofState);
    const position = this.walk.wordAt(at);
    if (position >= count) return resolved(word !== 0, "opening");
    const roots = this.#roots(step);
    if (!ofState) {
      const operator = this.#operator(descriptor);
      const read = this.#reader(operator, roots, witness);
      const run = stepPosition(this.#run.job, this.#subject.firstStep + this.walk.position.step);
      return resolved(element(operator, position, read, run) !== word, "element");
    }
    const { source } = decodeState(bytes(descriptor.descriptor));
    const [tile] = witness;
    assert(tile !== undefined && witness.length === 1);
    const root = source === null ? roots.state : roots.trace;
    const leaves = source === null ? this.#run.program.state.length : this.#run.program.operators.length;
    this.#verifyTile(root, tile, source ?? tensor, index, count, leaves);
    return resolved(bytesToWords(bytes(tile.words))[at] !== word, "store");
  }

  #descend(choice: Choice): { readonly height: number; readonly index: number } {
    const levels = openingHeight(this.walk.position.height);
    assert(choice.child >= 0 && choice.child < 2 ** levels);
    assert(verifyProof(this.walk.node!, choice.hash, choice.child, choice.siblings, levels));
    return childOf(this.walk.position, choice.child);
  }

  #leaf(choice: Choice): number {
    const { height, index } = this.#descend(choice);
    assert.equal(height, 0);
    assert(index < this.#leaves());
    return index;
  }

  #leaves(): number {
    const { operators, state } = this.#run.program;
    const { level, count }: Position = this.walk.position;
    switch (level) {
      case Level.segment:
        return 2 * this.#subject.stepCount;
      case Level.digest:
        return this.#subject.stepCount;
      case Level.trace:
        return operators.length;
      case Level.state:
        return state.length;
      default:
        return Math.ceil(count / TILE_WORDS);
    }
  }

  #count(argument: DescriptorArgument, index: number, ofState: boolean): number {
    const { operators, states, program } = this.#run;
    const leaves = ofState ? program.state.length : program.operators.length;
    const leaf = toBytes32(sha256(bytes(argument.descriptor)));
    assert(verifyProof((ofState ? states : operators).root, leaf, index, argument.siblings, depthOf(leaves)));
    return ofState
      ? decodeState(bytes(argument.descriptor)).count
      : wordCount(decodeOperator(bytes(argument.descriptor)).shape);
  }

  #operator(argument: DescriptorArgument): Operator {
    this.#count(argument, this.walk.position.tensor, false);
    return decodeOperator(bytes(argument.descriptor));
  }

  #part({ part, value, siblings }: Extract<Move, { kind: "choosePartial" }>["choice"]) {
    const { walk } = this;
    assert(walk.published?.kind === "partials");
    const root = partialsTree(walk.published.values).root;
    assert(verifyProof(root, `0x${BigInt.asUintN(256, value).toString(16).padStart(64, "0")}`, part, siblings, 4));
    const range = partOf(walk.position, part);
    assert(range.lo < range.hi);
    return range;
  }

  #roots(proof: StepProof): Roots {
    const { step } = this.walk.position;
    const depth = segmentDepth(this.#subject.stepCount);
    const verify = (root: Bytes32, leaf: number, siblings: readonly Bytes32[]): Bytes32 => {
      if (root !== ZERO_BYTES32) assert(verifyProof(this.walk.segmentRoot!, root, leaf, siblings, depth));
      return root;
    };
    const trace = verify(proof.traceRoot, 2 * step, proof.traceSiblings);
    if (step === 0) return { trace, state: this.#subject.startRoot };
    return { trace, state: verify(proof.stateRoot, 2 * step - 1, proof.stateSiblings) };
  }

  /** Reads from tiles of the witness that prove themselves; what is read must be there. */
  #reader(operator: Operator, roots: Roots, witness: readonly TileWitness[]): Read {
    const { program, job } = this.#run;
    const find = (root: Bytes32, outer: number, count: number, leaves: number, address: number): number => {
      const tile = Math.floor(address / TILE_WORDS);
      const found = witness.find((candidate) => {
        const index = nestedIndex(outer, tile, tensorDepth(count));
        const depth = tensorDepth(count) + depthOf(leaves);
        return verifyProof(root, tileHash(bytes(candidate.words)), index, candidate.siblings, depth);
      });
      assert(found !== undefined, "a tile is missing from the witness");
      return bytesToWords(bytes(found.words))[address % TILE_WORDS]!;
    };
    return (operand, address) => {
      if (operator.family === "batch") {
        return find(this.#run.dataset.root, operand, program.sample.words, sampleCount(job), address);
      }
      if (operator.family === "schedule") return find(this.#run.schedule.root, 0, job.schedule.length, 1, address);
      const { reference, count } = operator.operands[operand]!;
      const [root, leaves] = {
        operator: [roots.trace, program.operators.length] as const,
        state: [roots.state, program.state.length] as const,
        constant: [
          program.constants.length > 0 ? this.#run.constants.root : ZERO_BYTES32,
          program.constants.length,
        ] as const,
      }[reference.kind];
      return find(root, reference.index, count, leaves, address);
    };
  }

  #verifyTile(root: Bytes32, witness: TileWitness, outer: number, tile: number, count: number, leaves: number): void {
    const inner = tensorDepth(count);
    const hash = tileHash(bytes(witness.words));
    assert(verifyProof(root, hash, nestedIndex(outer, tile, inner), witness.siblings, inner + depthOf(leaves)));
  }
}

function resolved(defendantConvicted: boolean, reason: Reason): DisputeEvent {
  return { eventName: "DisputeResolved", args: { defendantConvicted, reason: REASONS.indexOf(reason) } };
}

function bytes(hex: `0x${string}`): Uint8Array {
  return hexToBytes(hex.slice(2));
}

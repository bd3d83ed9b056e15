/**
 * Plays a dispute to its end on the chain, both sides at once. Deliberately simple: it sees both claims whole, so that what is
 * tested is the contract. (The real players, which see only logs, are in shared/dispute.)
 */
import assert from "node:assert/strict";
import { bytesToHex, encodeFunctionData } from "viem";
import { type Bytes32, ZERO_BYTES32 } from "../../../shared/commitment/bytes32.ts";
import { datasetTree } from "../../../shared/commitment/datasetTree.ts";
import { partialsTree } from "../../../shared/commitment/partialsTree.ts";
import { TensorsTree } from "../../../shared/commitment/tensorsTree.ts";
import type { MerkleTree } from "../../../shared/commitment/tree.ts";
import { openingHeight } from "../../../shared/commitment/treeProof.ts";
import { stepPosition } from "../../../shared/job/job.ts";
import { partialValue, type ReducingOperator } from "../../../shared/operators/element.ts";
import type { Read } from "../../../shared/operators/read.ts";
import { isAdjudicable, type WitnessTile, witnessTiles } from "../../../shared/operators/witness.ts";
import { wordCount } from "../../../shared/program/descriptor.ts";
import { reduces } from "../../../shared/program/encoding.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { readOf } from "../../helpers/elements.ts";
import type { Random } from "../../helpers/random.ts";
import { type Arena, by, publicClient, type Wallet } from "./arena.ts";
import { type Claimed, type ClaimedDigest, programTrees } from "./claimed.ts";
import type { Subject } from "./task.ts";

export const Level = {
  none: 0,
  answer: 1,
  fork: 2,
  segment: 3,
  trace: 4,
  state: 5,
  tensor: 6,
  tile: 7,
  partials: 8,
  digest: 9,
} as const;

export const Reason = { timeout: 0, opening: 1, element: 2, store: 3, partial: 4, digest: 5 } as const;

export interface Claimant {
  readonly wallet: Wallet;
  readonly claimed: Claimed;
  readonly digest?: ClaimedDigest;
  /** A liar's value of a range of an element, from the true one. */
  readonly partial?: (value: bigint, lo: number, hi: number) => bigint;
}

export interface Played {
  readonly game: Arena["game"];
  readonly disputeId: Bytes32;
  readonly subject: Subject;
  readonly defendant: Claimant;
  readonly challenger: Claimant;
  /** With one, the challenger chooses at random instead of looking for a difference. */
  readonly random?: Random;
  /** Called with the move's name and gas. */
  readonly onMove?: (move: string, gas: bigint) => void;
}

export type Walk = Awaited<ReturnType<Arena["game"]["read"]["dispute"]>>["walk"];

/** A function of the game and its arguments. */
type Move = readonly [name: string, args: readonly unknown[]];

const NO_STEP = { traceRoot: ZERO_BYTES32, traceSiblings: [], stateRoot: ZERO_BYTES32, stateSiblings: [] };

export class Dispute {
  readonly game: Arena["game"];
  readonly #played: Played;
  /** The values behind the root that the defendant claimed last. */
  #values: readonly bigint[] = [];

  constructor(played: Played) {
    this.#played = played;
    this.game = played.game;
  }

  async state() {
    return this.game.read.dispute([this.#played.disputeId]);
  }

  /** Plays until the dispute is resolved or `until` holds before a move. */
  async play(until?: (walk: Walk, turn: number) => boolean): Promise<void> {
    for (let moves = 0; moves < 200; moves++) {
      const { walk, clock } = await this.state();
      if (walk.level === Level.none || until?.(walk, clock.turn)) return;
      await (clock.turn === 0 ? this.defend(walk) : this.attack(walk));
    }
    assert.fail("the walk does not end");
  }

  /** As `play`, with a defendant that hands its openings over: the challenger makes them together with its own moves. */
  async playTogether(): Promise<void> {
    for (let moves = 0; moves < 200; moves++) {
      const { walk, clock } = await this.state();
      if (walk.level === Level.none) return;
      const claims = walk.level === Level.answer || walk.level === Level.partials;
      if (clock.turn === 1) await this.attack(walk);
      else if (claims) await this.defend(walk);
      else await this.#batch([this.defence(walk), this.accusation(walk)]);
    }
    assert.fail("the walk does not end");
  }

  async outcome(): Promise<{ defendantConvicted: boolean; reason: number }> {
    const events = await this.game.getEvents.DisputeResolved({ disputeId: this.#played.disputeId }, { fromBlock: 0n });
    assert.equal(events.length, 1);
    const { defendantConvicted, reason } = events[0]!.args;
    return { defendantConvicted: defendantConvicted!, reason: reason! };
  }

  /** Makes the defendant's next move. */
  async defend(walk: Walk): Promise<void> {
    await this.#send(this.defence(walk), this.#played.defendant.wallet);
  }

  /** Makes the challenger's next move. */
  async attack(walk: Walk): Promise<void> {
    await this.#send(this.accusation(walk), this.#played.challenger.wallet);
  }

  /** The defendant's next move. */
  defence(walk: Walk): Move {
    const { disputeId, subject, defendant } = this.#played;
    const { claimed } = defendant;
    switch (walk.level) {
      case Level.answer: {
        const siblings = claimed.segment.proof(2 * subject.stepCount - 1);
        return ["answer", [disputeId, subject, claimed.segment.root, siblings]];
      }
      case Level.tile:
        return ["openTile", [disputeId, this.tileOf(defendant, walk)]];
      case Level.partials:
        return this.#claimPartials(walk);
      default:
        return ["open", [disputeId, treeOf(defendant, walk).opening(walk.height, walk.index)]];
    }
  }

  /** The challenger's next move. */
  accusation(walk: Walk): Move {
    const { disputeId, subject, defendant, challenger, random } = this.#played;
    if (walk.level === Level.fork) {
      const digest = random?.chance(0.5) ?? defendant.claimed.segment.root === challenger.claimed.segment.root;
      return ["enterTree", [disputeId, subject, digest]];
    }
    if (walk.level === Level.tile) return this.#accuseTile(walk);
    if (walk.level === Level.partials) return this.#accusePartials(walk);
    const child = this.pickChild(walk);
    const choice = this.choiceOf(walk, child);
    const span = openingHeight(walk.height);
    const index = walk.index * 2 ** span + child;
    const height = walk.height - span;
    if (height > 0 || index >= walk.leaves || walk.level === Level.tensor) {
      return ["choose", [disputeId, choice]];
    }
    if (walk.level === Level.segment) {
      return ["enterStep", [disputeId, choice, subject]];
    }
    if (walk.level === Level.digest) {
      const { descriptor, tileHash, siblings } = this.digestEvidence(index);
      return ["adjudicateDigest", [disputeId, choice, subject, descriptor, tileHash, siblings]];
    }
    const descriptor = this.descriptorOf(index, walk.level === Level.state);
    return ["enterTensor", [disputeId, choice, subject, descriptor]];
  }

  pickChild(walk: Walk): number {
    const { defendant, challenger, random } = this.#played;
    const theirs = treeOf(defendant, walk).opening(walk.height, walk.index);
    if (random) return random.below(theirs.length);
    const ours = treeOf(challenger, walk).opening(walk.height, walk.index);
    const child = theirs.findIndex((hash, at) => hash !== ours[at]);
    assert.notEqual(child, -1, "the claims agree here");
    return child;
  }

  choiceOf(walk: Walk, child: number) {
    const tree = treeOf(this.#played.defendant, walk);
    const span = openingHeight(walk.height);
    const index = walk.index * 2 ** span + child;
    const height = walk.height - span;
    return { child, hash: tree.node(height, index), siblings: tree.proof(index, height, walk.height) };
  }

  descriptorOf(tensor: number, ofState: boolean) {
    const trees = programTrees(this.#played.defendant.claimed.job);
    const descriptor = (ofState ? trees.states : trees.operators)[tensor]!;
    const tree = ofState ? trees.statesTree : trees.operatorsTree;
    return { descriptor: bytesToHex(descriptor), siblings: tree.proof(tensor) };
  }

  /** Bytes of the tile that the walk has reached. */
  tileOf({ claimed }: Claimant, walk: Walk): `0x${string}` {
    const step = claimed.steps[walk.step]!;
    const tree = walk.ofState ? step.state : step.trace;
    return bytesToHex(tree.tileProof(walk.tensor, walk.index).words);
  }

  /** Trace and state roots of the walk's step, proved in the defendant's segment. */
  stepProof(step: number) {
    const { segment, steps } = this.#played.defendant.claimed;
    const trace = { traceRoot: steps[step]!.trace.root, traceSiblings: segment.proof(2 * step) };
    if (step === 0) return { ...NO_STEP, ...trace };
    return { ...trace, stateRoot: steps[step - 1]!.state.root, stateSiblings: segment.proof(2 * step - 1) };
  }

  digestEvidence(step: number) {
    const { claimed, digest } = this.#played.defendant;
    const { tensor, tile } = digest!.positions[step]!;
    const state = claimed.steps[step]!.state;
    return {
      descriptor: this.descriptorOf(tensor, true),
      tileHash: state.tensor(tensor).node(0, tile),
      siblings: [
        ...state.tensor(tensor).proof(tile),
        ...state.outer.proof(tensor),
        ...claimed.segment.proof(2 * step + 1),
      ],
    };
  }

  /** The witness for an element, or for a range of its reduced axis, out of the defendant's trees. */
  witnessOf(walk: Walk, element: number, lo: number, hi: number) {
    const { claimed } = this.#played.defendant;
    const { job } = claimed;
    const { operator } = job.program.operators[walk.tensor]!;
    const position = stepPosition(job, claimed.firstStep + walk.step);
    const read = this.readOf(this.#played.defendant, walk);
    return witnessTiles(operator, element, lo, hi, read, position).map((tile) => this.#tileWitness(walk, tile));
  }

  /** The tile that a state tensor's element must equal. */
  storeWitness(walk: Walk) {
    const { job } = this.#played.defendant.claimed;
    const source = job.program.state[walk.tensor]!.source;
    const reference =
      source === null
        ? ({ kind: "state", index: walk.tensor } as const)
        : ({ kind: "operator", index: source } as const);
    return [this.#tileWitness(walk, { source: reference, tile: walk.index })];
  }

  readOf({ claimed }: Claimant, walk: Walk): Read {
    const { job, steps, start } = claimed;
    const { operator } = job.program.operators[walk.tensor]!;
    const outputs = steps[walk.step]!.words.outputs.map((words) => tensorOf(words));
    const before = walk.step === 0 ? start.words : steps[walk.step - 1]!.words.state;
    return readOf(
      job,
      operator,
      outputs,
      before.map((words) => tensorOf(words)),
    );
  }

  #tileWitness(walk: Walk, { source, tile }: WitnessTile) {
    const { claimed } = this.#played.defendant;
    const { job, steps, start } = claimed;
    const tree = {
      operator: () => steps[walk.step]!.trace,
      state: () => (walk.step === 0 ? start.tree : steps[walk.step - 1]!.state),
      constant: () => new TensorsTree(job.program.constants.map(({ words }) => words)),
      sample: () => datasetTree(job.samples, job.program.sample.words),
      schedule: () => new TensorsTree([job.schedule]),
    }[source.kind]();
    const { words, siblings } = tree.tileProof(source.kind === "schedule" ? 0 : source.index, tile);
    return { words: bytesToHex(words), siblings };
  }

  #accuseTile(walk: Walk): Move {
    const { disputeId, subject, defendant, challenger, random } = this.#played;
    const { program } = defendant.claimed.job;
    const words = this.tileOf(defendant, walk);
    const element = random ? random.below(64) : firstDifference(words, this.tileOf(challenger, walk));
    const at = walk.index * 64 + element;
    const descriptor = this.descriptorOf(walk.tensor, walk.ofState);
    const step = this.stepProof(walk.step);
    const adjudicate = (witness: ReturnType<Dispute["storeWitness"]>): Move => [
      "adjudicate",
      [disputeId, element, words, subject, descriptor, step, witness],
    ];
    const shape = walk.ofState ? program.state[walk.tensor]!.shape : program.operators[walk.tensor]!.operator.shape;
    if (at >= wordCount(shape)) return adjudicate([]);
    if (walk.ofState) return adjudicate(this.storeWitness(walk));
    const { operator } = program.operators[walk.tensor]!;
    if (reduces(operator.family)) {
      const reducing = operator as ReducingOperator;
      const whole = isAdjudicable(reducing, at, 0, reducing.length);
      if (!whole || (reducing.length > 1 && random?.chance(0.5))) {
        return ["demandPartials", [disputeId, element, words, subject, descriptor]];
      }
      return adjudicate(this.witnessOf(walk, at, 0, reducing.length));
    }
    return adjudicate(this.witnessOf(walk, at, 0, 1));
  }

  partialOf(claimant: Claimant, walk: Walk, lo: number, hi: number): { value: bigint; exponent: number } {
    const operator = claimant.claimed.job.program.operators[walk.tensor]!.operator as ReducingOperator;
    const element = walk.index * 64 + walk.element;
    const { value, exponent } = partialValue(operator, element, lo, hi, this.readOf(claimant, walk));
    return { value: claimant.partial?.(value, lo, hi) ?? value, exponent };
  }

  /** The defendant's claim for the current range. */
  claimOf(walk: Walk): { values: bigint[]; exponent: number } {
    const { defendant } = this.#played;
    const parts = partsOf(walk.lo, walk.hi);
    const { exponent } = this.partialOf(defendant, walk, walk.lo, walk.hi);
    const values = parts.map(([lo, hi]) => (lo === hi ? 0n : this.partialOf(defendant, walk, lo, hi).value));
    return { values, exponent };
  }

  #claimPartials(walk: Walk): Move {
    const { disputeId, subject } = this.#played;
    const { values, exponent } = this.claimOf(walk);
    this.#values = values;
    const descriptor = this.descriptorOf(walk.tensor, false);
    return ["claimPartials", [disputeId, subject, descriptor, BigInt(exponent), sixteen(values)]];
  }

  partialChoice(part: number) {
    const siblings = partialsTree(this.#values).proof(part) as [Bytes32, Bytes32, Bytes32, Bytes32];
    return { part, value: this.#values[part]!, siblings };
  }

  #accusePartials(walk: Walk): Move {
    const { disputeId, subject, defendant, challenger, random } = this.#played;
    const parts = partsOf(walk.lo, walk.hi);
    const used = parts.filter(([lo, hi]) => lo < hi).length;
    const wrong = ([lo, hi]: [number, number], part: number): boolean =>
      lo < hi && this.partialOf(challenger, walk, lo, hi).value !== this.#values[part];
    const part = random ? random.below(used) : Math.max(0, parts.findIndex(wrong));
    const [lo, hi] = parts[part]!;
    const operator = defendant.claimed.job.program.operators[walk.tensor]!.operator as ReducingOperator;
    const element = walk.index * 64 + walk.element;
    const choice = this.partialChoice(part);
    const whole = isAdjudicable(operator, element, lo, hi);
    if (!whole || (hi - lo > 1 && random?.chance(0.5))) {
      return ["choosePartial", [disputeId, choice]];
    }
    const descriptor = this.descriptorOf(walk.tensor, false);
    const witness = this.witnessOf(walk, element, lo, hi);
    return ["adjudicatePartial", [disputeId, choice, subject, descriptor, this.stepProof(walk.step), witness]];
  }

  async #send([name, args]: Move, wallet: Wallet): Promise<void> {
    const { address, abi } = this.game;
    const options = { ...by(wallet), address, abi, functionName: name, args: [...args] };
    await this.#report(name, await wallet.writeContract(options as Parameters<Wallet["writeContract"]>[0]));
  }

  async #batch(moves: readonly Move[]): Promise<void> {
    const calls = moves.map(([functionName, args]) =>
      encodeFunctionData({ abi: this.game.abi, functionName, args: [...args] } as Parameters<
        typeof encodeFunctionData
      >[0]),
    );
    const name = moves.map(([move]) => move).join("+");
    await this.#report(name, await this.game.write.multicall([calls], by(this.#played.challenger.wallet)));
  }

  async #report(move: string, hash: `0x${string}`): Promise<void> {
    if (!this.#played.onMove) return;
    const { gasUsed } = await publicClient.getTransactionReceipt({ hash });
    this.#played.onMove(move, gasUsed);
  }
}

export function treeOf({ claimed, digest }: Claimant, walk: Walk): MerkleTree {
  const step = claimed.steps[walk.step]!;
  switch (walk.level) {
    case Level.segment:
      return claimed.segment;
    case Level.trace:
      return step.trace.outer;
    case Level.state:
      return step.state.outer;
    case Level.tensor:
      return (walk.ofState ? step.state : step.trace).tensor(walk.tensor);
    case Level.digest:
      return digest!.tree;
    default:
      throw new Error(`no tree at level ${walk.level}`);
  }
}

/** docs/protocol.md, section 3: part i of [lo, hi). */
export function partsOf(lo: number, hi: number): [number, number][] {
  const size = Math.ceil((hi - lo) / 16);
  return Array.from({ length: 16 }, (_, i) => [Math.min(lo + i * size, hi), Math.min(lo + (i + 1) * size, hi)]);
}

type Sixteen = readonly [
  ...[bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint],
  ...[bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint],
];

export function sixteen(values: readonly bigint[]): Sixteen {
  assert.equal(values.length, 16);
  return values as unknown as Sixteen;
}

function tensorOf(words: Uint32Array): Tensor {
  return { dtype: 0, shape: [words.length], words };
}

function firstDifference(theirs: string, ours: string): number {
  for (let element = 0; element < 64; element++) {
    const [from, to] = [2 + 8 * element, 10 + 8 * element];
    if (theirs.slice(from, to) !== ours.slice(from, to)) return element;
  }
  return assert.fail("the tiles agree");
}

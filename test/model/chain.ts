/**
 * A dispute on the chain as the model sees it: a defendant and an honest run on a small real task, the transaction that each move of
 * the model stands for, and the state that the contract shows afterwards.
 */
import { network } from "hardhat";
import { type Abi, decodeErrorResult, encodeFunctionData, type Hex } from "viem";
import { type Bytes32, ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { type Job, segmentSteps } from "../../shared/job/job.ts";
import type { ReducingOperator } from "../../shared/operators/element.ts";
import { isAdjudicable } from "../../shared/operators/witness.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { reduces } from "../../shared/program/encoding.ts";
import type { Tensor } from "../../shared/program/program.ts";
import type { Arena, Wallet } from "../contracts/support/arena.ts";
import { type Claimed, claimDigest, claimSegment, type Lie } from "../contracts/support/claimed.ts";
import { type Claimant, Dispute, treeOf, type Walk } from "../contracts/support/player.ts";
import { endRoot, type Subject, trainingOf } from "../contracts/support/task.ts";
import {
  type Actor,
  childrenOf,
  type Level,
  type Move,
  partOf,
  type Rules,
  type Shape,
  type Side,
  type State,
} from "./game.ts";

/** The contract's constants. */
export const CONTRACT: Rules = { arity: 2, span: 5, tileWords: 64, parts: 16 };

const LEVELS: readonly Level[] = [
  "none",
  "answer",
  "fork",
  "segment",
  "trace",
  "state",
  "tensor",
  "tile",
  "partials",
  "digest",
];
export const REASONS = ["timeout", "opening", "element", "store", "partial", "digest"] as const;
const TREES: ReadonlySet<Level> = new Set(["segment", "trace", "state", "tensor", "digest"]);

export function shapeOf(job: Job, stepCount: number, isVerifier: boolean): Shape {
  return {
    steps: stepCount,
    operators: job.program.operators.map(({ operator }) => ({
      words: wordCount(operator.shape),
      length: reduces(operator.family) ? (operator as ReducingOperator).length : 0,
      adjudicable: (element, lo, hi) => isAdjudicable(operator as ReducingOperator, element, lo, hi),
      decodable: true,
    })),
    states: job.program.state.map(({ shape }) => wordCount(shape)),
    isVerifier,
  };
}

export interface Told {
  readonly lie?: Lie | undefined;
  readonly partial?: Claimant["partial"] | undefined;
  /** The defendant is a verifier, with this lie about its digest's leaves. */
  readonly digest?: { readonly lie?: (leaves: Bytes32[]) => void } | undefined;
}

type Provider = { request(request: { method: string; params?: unknown[] }): Promise<unknown> };

export class Chain {
  readonly #provider: Provider;
  readonly #game: { readonly address: Hex; readonly abi: Abi };
  readonly #market: { readonly address: Hex; readonly abi: Abi };
  readonly #accounts: Readonly<Record<Actor, Hex>>;
  readonly #viem;
  #now = 0;
  #subjects = 0;

  private constructor(
    connection: Awaited<ReturnType<typeof network.connect>>,
    game: { readonly address: Hex; readonly abi: Abi },
    market: { readonly address: Hex; readonly abi: Abi },
    accounts: readonly Hex[],
  ) {
    this.#viem = connection.viem;
    this.#provider = connection.provider as unknown as Provider;
    this.#game = game;
    this.#market = market;
    const [defendant, challenger, stranger] = accounts;
    this.#accounts = { defendant: defendant!, challenger: challenger!, stranger: stranger! };
  }

  static async create(): Promise<Chain> {
    // Seconds are the test's to choose, one after the other or the same again.
    const connection = await network.connect({ override: { allowBlocksWithSameTimestamp: true } });
    const { viem } = connection;
    const referee = await viem.deployContract("Referee");
    const game = await viem.deployContract("DisputeGame", [referee.address]);
    const market = await viem.deployContract("RogueMarket", [game.address]);
    const wallets = await viem.getWalletClients();
    const accounts = wallets.slice(0, 3).map(({ account }) => account.address as Hex);
    const chain = new Chain(connection, game as never, market as never, accounts);
    chain.#now = Number((await (await viem.getPublicClient()).getBlock()).timestamp) + 10;
    return chain;
  }

  get now(): number {
    return this.#now;
  }

  pass(seconds: number): void {
    this.#now += seconds;
  }

  account(actor: Actor): Hex {
    return this.#accounts[actor];
  }

  /** Opens a dispute about a segment of which the defendant claims what `told` says. */
  async dispute(
    job: Job,
    initial: readonly Tensor[],
    told: Told,
    clocks: Readonly<Record<Side, number>>,
    isAnswered: boolean,
  ): Promise<PlayedDispute> {
    const start = initial.map(({ words }) => words);
    const honest = await claimSegment(job, 0, start);
    const claimed = told.lie === undefined ? honest : await claimSegment(job, 0, start, told.lie);
    const training = trainingOf(job, initial);
    const { firstStep, stepCount } = segmentSteps(job, 0);
    const beacon: Bytes32 = told.digest === undefined ? ZERO_BYTES32 : `0x${"b7".repeat(32)}`;
    const defendant = this.account("defendant");
    const digests = (of: Claimed, lie?: (leaves: Bytes32[]) => void) =>
      told.digest === undefined ? {} : { digest: claimDigest(of, beacon, defendant, lie) };
    const theirs = { claimed, ...digests(honest, told.digest?.lie) };
    const ours = { claimed: honest, ...digests(honest) };
    const subject: Subject = {
      training,
      // Another subject each time: an answer serves every dispute about its own.
      taskId: `0x${(++this.#subjects).toString(16).padStart(64, "0")}`,
      segment: 0,
      defendant,
      startRoot: training.initialStateRoot,
      endRoot: endRoot(claimed),
      firstStep,
      stepCount,
      digestRoot: theirs.digest?.tree.root ?? ZERO_BYTES32,
      beacon,
    };
    const open = async (challenger: Actor): Promise<Bytes32> => {
      const args = [subject, this.account(challenger), clocks.defendant, clocks.challenger];
      await this.#send("stranger", this.#market, "open", args);
      const last = encodeFunctionData({ abi: this.#market.abi, functionName: "last" });
      return (await this.#ask("eth_call", [{ to: this.#market.address, data: last }, "latest"])) as Bytes32;
    };
    const { segment } = claimed;
    const answer = [subject, segment.root, segment.proof(2 * stepCount - 1)];
    if (isAnswered) await this.move("defendant", "answer", [await open("stranger"), ...answer]);
    const disputeId = await open("challenger");
    const game = (await this.#viem.getContractAt("DisputeGame", this.#game.address)) as unknown as Arena["game"];
    const claimant = (of: { claimed: Claimed }): Claimant => ({ wallet: undefined as unknown as Wallet, ...of });
    const defending = { ...claimant(theirs), ...(told.partial === undefined ? {} : { partial: told.partial }) };
    const played = { game, disputeId, subject, defendant: defending, challenger: claimant(ours) };
    return new PlayedDispute(this, played, new Dispute(played), open);
  }

  /** Sends a move of the game in this second; the name of the error by which it is refused, or null. */
  async move(by: Actor, name: string, args: readonly unknown[]): Promise<string | null> {
    return this.#send(by, this.#game, name, args);
  }

  async #send(by: Actor, to: { address: Hex; abi: Abi }, functionName: string, args: readonly unknown[]) {
    const data = encodeFunctionData({ abi: to.abi, functionName, args: [...args] });
    await this.#ask("evm_setNextBlockTimestamp", [`0x${this.#now.toString(16)}`]);
    try {
      const transaction = { from: this.account(by), to: to.address, data, gas: "0xf42400" };
      await this.#ask("eth_sendTransaction", [transaction]);
      return null;
    } catch (error) {
      const raw = (error as { data?: unknown }).data;
      const bytes = typeof raw === "string" ? raw : (raw as { data?: string } | undefined)?.data;
      if (bytes === undefined || bytes === "0x") throw error;
      return decodeErrorResult({ abi: this.#game.abi, data: bytes as Hex }).errorName;
    }
  }

  #ask(method: string, params: unknown[]): Promise<unknown> {
    return this.#provider.request({ method, params });
  }
}

interface Transaction {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What the model's state says that the contract's does, too. */
export interface Shown {
  readonly level: Level;
  readonly turn: Side;
  readonly height: number;
  readonly index: number;
  readonly leaves: number;
  readonly step: number;
  readonly tensor: number;
  readonly ofState: boolean;
  readonly range: readonly [element: number, lo: number, hi: number] | null;
  readonly deadline: number;
  /** Seconds left to the side that waits. */
  readonly waiting: number;
}

export class PlayedDispute {
  readonly #chain: Chain;
  readonly #played;
  readonly #dispute: Dispute;
  readonly #open: (challenger: Actor) => Promise<Bytes32>;

  constructor(
    chain: Chain,
    played: ConstructorParameters<typeof Dispute>[0],
    dispute: Dispute,
    open: (challenger: Actor) => Promise<Bytes32>,
  ) {
    this.#chain = chain;
    this.#played = played;
    this.#dispute = dispute;
    this.#open = open;
  }

  get claims(): { readonly answer: boolean; readonly digestWrong: boolean; readonly endWrong: boolean } {
    const { defendant, challenger } = this.#played;
    return {
      answer: defendant.claimed.segment.root !== challenger.claimed.segment.root,
      digestWrong: defendant.digest?.tree.root !== challenger.digest?.tree.root,
      endWrong: endRoot(defendant.claimed) !== endRoot(challenger.claimed),
    };
  }

  async walk(): Promise<Walk> {
    return (await this.#dispute.state()).walk;
  }

  /** The contract's state, in the model's words. */
  async shown(): Promise<Shown> {
    const { walk, clock } = await this.#dispute.state();
    const turn = clock.turn === 0 ? "defendant" : "challenger";
    const level = LEVELS[walk.level]!;
    const { height, index, leaves, step, tensor, ofState } = walk;
    const range = level === "partials" ? ([walk.element, walk.lo, walk.hi] as const) : null;
    const waiting = turn === "defendant" ? clock.challenger : clock.defendant;
    const deadline = clock.movedAt + (turn === "defendant" ? clock.defendant : clock.challenger);
    return { level, turn, height, index, leaves, step, tensor, ofState, range, deadline, waiting };
  }

  /** The verdicts that were announced. */
  async outcomes(): Promise<{ readonly convicted: Side; readonly reason: string }[]> {
    const { game, disputeId } = this.#played;
    const events = await game.getEvents.DisputeResolved({ disputeId }, { fromBlock: 0n });
    return events.map(({ args }) => ({
      convicted: args.defendantConvicted ? "defendant" : "challenger",
      reason: REASONS[args.reason!]!,
    }));
  }

  /** What the defendant's next opening shows: which of its children, words or partial results are not the honest run's. */
  shownNext(walk: Walk): boolean[] {
    const { defendant, challenger } = this.#played;
    const level = LEVELS[walk.level]!;
    if (level === "tile") {
      const [theirs, ours] = [defendant, challenger].map((side) => this.#dispute.tileOf(side, walk));
      return Array.from({ length: 64 }, (_, i) => {
        const [from, to] = [2 + 8 * i, 10 + 8 * i];
        return theirs!.slice(from, to) !== ours!.slice(from, to);
      });
    }
    if (level === "partials") {
      const { values, exponent } = this.#dispute.claimOf(walk);
      return values.map((value, part) => {
        const [lo, hi] = partOf(CONTRACT, walk.lo, walk.hi, part);
        if (lo === hi) return value !== 0n;
        const truth = this.#dispute.partialOf(challenger, walk, lo, hi);
        return truth.value !== value || truth.exponent !== exponent;
      });
    }
    const [theirs, ours] = [defendant, challenger].map((side) => treeOf(side, walk).opening(walk.height, walk.index));
    return theirs!.map((hash, at) => hash !== ours![at]);
  }

  /** Makes a move of the model; the name of the error by which the contract refuses it, or null. */
  async make(state: State, by: Actor, move: Move): Promise<string | null> {
    if (move.kind === "answerElsewhere") {
      const other = await this.#open("stranger");
      const { name, args } = this.#transaction(state, await this.walk(), { kind: "answer", wrong: move.wrong });
      return this.#chain.move("defendant", name, [other, ...args.slice(1)]);
    }
    const { name, args } = this.#transaction(state, await this.walk(), move);
    return this.#chain.move(by, name, args);
  }

  /** A transaction is as good as its move can be made here; arguments that the contract does not come to look at are empty. */
  #transaction(state: State, walk: Walk, move: Move): Transaction {
    const { disputeId, subject, defendant } = this.#played;
    const dispute = this.#dispute;
    const { level } = state;
    const is = (...levels: readonly Level[]): boolean => levels.includes(level);
    const to = (name: string, ...args: readonly unknown[]): Transaction => ({ name, args: [disputeId, ...args] });
    const defends = state.turn === "defendant";
    switch (move.kind) {
      case "answer": {
        const { segment } = defendant.claimed;
        return to("answer", subject, segment.root, segment.proof(2 * subject.stepCount - 1));
      }
      case "adopt":
        return to("adopt", subject);
      case "open":
        return to("open", defends && TREES.has(level) ? treeOf(defendant, walk).opening(walk.height, walk.index) : []);
      case "openTile":
        return to("openTile", is("tile") ? dispute.tileOf(defendant, walk) : EMPTY_TILE);
      case "claimPartials": {
        if (defends && is("partials")) {
          const [name, args] = dispute.defence(walk);
          return { name, args };
        }
        return to("claimPartials", subject, NO_DESCRIPTOR, 0n, Array(16).fill(0n));
      }
      case "enterTree":
        return to("enterTree", subject, move.digest);
      case "choose":
        return to("choose", this.#choice(state, walk, move.child));
      case "enterStep":
        return to("enterStep", this.#choice(state, walk, move.child), subject);
      case "enterTensor": {
        const leaf = this.#leaf(state, move.child);
        const descriptor =
          is("trace", "state") && leaf !== null ? dispute.descriptorOf(leaf, level === "state") : NO_DESCRIPTOR;
        return to("enterTensor", this.#choice(state, walk, move.child), subject, descriptor);
      }
      case "adjudicateDigest": {
        const leaf = is("digest") ? this.#leaf(state, move.child) : null;
        const choice = this.#choice(state, walk, move.child);
        if (leaf === null) return to("adjudicateDigest", choice, subject, NO_DESCRIPTOR, ZERO_BYTES32, []);
        const { descriptor, tileHash, siblings } = dispute.digestEvidence(leaf);
        return to("adjudicateDigest", choice, subject, descriptor, tileHash, siblings);
      }
      case "adjudicate": {
        if (!is("tile") || defends) return to("adjudicate", 0, EMPTY_TILE, subject, NO_DESCRIPTOR, NO_STEP, []);
        const words = dispute.tileOf(defendant, walk);
        const descriptor = dispute.descriptorOf(walk.tensor, walk.ofState);
        const witness = this.#witness(walk, move.element);
        const step = dispute.stepProof(walk.step);
        return to("adjudicate", move.element, words, subject, descriptor, step, witness);
      }
      case "demandPartials": {
        const here = is("tile") && !defends;
        const words = here ? dispute.tileOf(defendant, walk) : EMPTY_TILE;
        const descriptor = here ? dispute.descriptorOf(walk.tensor, walk.ofState) : NO_DESCRIPTOR;
        return to("demandPartials", move.element, words, subject, descriptor);
      }
      case "choosePartial":
        return to("choosePartial", this.#part(state, move.part));
      case "adjudicatePartial": {
        const choice = this.#part(state, move.part);
        if (!is("partials") || defends || move.part >= 16) {
          return to("adjudicatePartial", choice, subject, NO_DESCRIPTOR, NO_STEP, []);
        }
        const [lo, hi] = partOf(CONTRACT, walk.lo, walk.hi, move.part);
        const descriptor = dispute.descriptorOf(walk.tensor, false);
        const step = dispute.stepProof(walk.step);
        const element = walk.index * 64 + walk.element;
        const witness = lo < hi ? dispute.witnessOf(walk, element, lo, hi) : [];
        return to("adjudicatePartial", choice, subject, descriptor, step, witness);
      }
      default:
        return to("claimTimeout");
    }
  }

  #choice(state: State, walk: Walk, child: number) {
    if (state.turn === "challenger" && TREES.has(state.level) && child < childrenOf(CONTRACT, state.height)) {
      return this.#dispute.choiceOf(walk, child);
    }
    return { child, hash: ZERO_BYTES32, siblings: [] };
  }

  /** The leaf that a child of the node is, or null where it is none of the tree's. */
  #leaf(state: State, child: number): number | null {
    if (state.turn === "defendant" || !TREES.has(state.level)) return null;
    const children = childrenOf(CONTRACT, state.height);
    const leaf = state.index * children + child;
    return child < children && children === 2 ** state.height && leaf < state.leaves ? leaf : null;
  }

  #part(state: State, part: number) {
    if (state.turn === "challenger" && state.level === "partials" && part < 16)
      return this.#dispute.partialChoice(part);
    return { part, value: 0n, siblings: [ZERO_BYTES32, ZERO_BYTES32, ZERO_BYTES32, ZERO_BYTES32] };
  }

  #witness(walk: Walk, element: number) {
    const { program } = this.#played.defendant.claimed.job;
    const position = walk.index * 64 + element;
    if (walk.ofState) {
      return position < wordCount(program.state[walk.tensor]!.shape) ? this.#dispute.storeWitness(walk) : [];
    }
    const { operator } = program.operators[walk.tensor]!;
    if (position >= wordCount(operator.shape)) return [];
    return this.#dispute.witnessOf(
      walk,
      position,
      0,
      reduces(operator.family) ? (operator as ReducingOperator).length : 1,
    );
  }
}

const NO_DESCRIPTOR = { descriptor: "0x", siblings: [] } as const;
const NO_STEP = { traceRoot: ZERO_BYTES32, traceSiblings: [], stateRoot: ZERO_BYTES32, stateSiblings: [] };
const EMPTY_TILE: Hex = `0x${"00".repeat(256)}`;

/** Follows one dispute from its logs: where it stands, what the defendant has published, what was decided. */
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Bytes32 } from "../commitment/bytes32.ts";
import { segmentDepth } from "../commitment/segmentTree.ts";
import { bytesToWords } from "../commitment/tile.ts";
import { depthOf } from "../commitment/treeProof.ts";
import { TouchstoneError } from "../errors.ts";
import { type DisputedSegment, type DisputeEvent, REASONS, type Reason } from "./events.ts";
import { childOf, enterTensor, Level, type Position, START } from "./position.ts";

export class WalkOrderError extends TouchstoneError {
  readonly code = "WALK_ORDER";
  constructor(event: string) {
    super(`A dispute's log ${event} came before DisputeOpened.`, {
      remedy: "Follow the chain from the task's first block.",
    });
  }
}

/** Sizes of the trees that the task fixes. */
export interface TreeSizes {
  readonly operatorCount: number;
  readonly stateCount: number;
}

/** What the defendant's side has published for the current node: the challenger moves next. */
export type Published =
  | { readonly kind: "children"; readonly children: readonly Bytes32[] }
  | { readonly kind: "tile"; readonly words: Uint32Array }
  | { readonly kind: "partials"; readonly exponent: bigint; readonly values: readonly bigint[] };

/** An opening made on the way down, with the node that it opens. */
export interface Opening {
  readonly position: Position;
  readonly children: readonly Bytes32[];
}

export interface Outcome {
  readonly defendantConvicted: boolean;
  readonly reason: Reason;
}

const IS_TREE: ReadonlySet<Level> = new Set([Level.segment, Level.trace, Level.state, Level.tensor, Level.digest]);

export class Walk {
  readonly #sizes: TreeSizes;
  readonly openings: Opening[] = [];
  subject: DisputedSegment | null = null;
  challenger: `0x${string}` | null = null;
  segmentRoot: Bytes32 | null = null;
  position: Position = START;
  /** The node that the walk stands on; at Partials the value that the range claims. */
  node: Bytes32 | null = null;
  /** The whole tile, once it is open; it stays known below. */
  tile: Uint32Array | null = null;
  /** The value that the next claim must combine to; null for the first claim, which must finish to the element's word. */
  claim: bigint | null = null;
  /** Power of two that scales the claimed integers, once there is a claim. */
  exponent: bigint | null = null;
  published: Published | null = null;
  outcome: Outcome | null = null;

  constructor(sizes: TreeSizes) {
    this.#sizes = sizes;
  }

  /** Whose turn it is. */
  get turn(): "defendant" | "challenger" {
    return this.position.level === Level.fork || this.published !== null ? "challenger" : "defendant";
  }

  /** @throws WalkOrderError for a log of a dispute that was not opened. */
  apply(event: DisputeEvent): void {
    if (event.eventName === "DisputeOpened") {
      this.subject = event.args.subject;
      this.challenger = event.args.challenger;
      return;
    }
    if (this.subject === null) throw new WalkOrderError(event.eventName);
    switch (event.eventName) {
      case "Answered":
        this.segmentRoot = event.args.segmentRoot;
        this.#enter(event.args.level as Level, event.args.segmentRoot);
        break;
      case "TreeEntered":
        this.#enter(event.args.level as Level, event.args.node);
        break;
      case "NodeOpened":
        this.openings.push({ position: this.position, children: event.args.children });
        this.published = { kind: "children", children: event.args.children };
        break;
      case "ChildChosen": {
        const { child, node } = event.args;
        const { height, index } = childOf(this.position, child);
        const level = this.position.level === Level.tensor && height === 0 ? Level.tile : this.position.level;
        this.#move({ ...this.position, level, height, index }, node);
        break;
      }
      case "StepEntered":
        this.position = { ...this.position, step: event.args.step };
        this.#enter(event.args.level as Level, event.args.node);
        break;
      case "TensorEntered": {
        const { node, tensor, ofState, count } = event.args;
        this.#move(enterTensor({ ...this.position, ofState }, tensor, Number(count)), node);
        break;
      }
      case "TileOpened":
        this.tile = bytesToWords(hexToBytes(event.args.words.slice(2)));
        this.published = { kind: "tile", words: this.tile };
        break;
      case "PartialsDemanded": {
        const { element, length } = event.args;
        this.#move({ ...this.position, level: Level.partials, element, lo: 0, hi: length }, this.node);
        break;
      }
      case "PartialsClaimed":
        this.exponent = event.args.exponent;
        this.published = { kind: "partials", exponent: event.args.exponent, values: event.args.values };
        break;
      case "PartialChosen":
        this.claim = event.args.value;
        this.#move({ ...this.position, lo: event.args.lo, hi: event.args.hi }, this.node);
        break;
      case "DisputeResolved": {
        const { defendantConvicted, reason } = event.args;
        this.outcome = { defendantConvicted, reason: REASONS[reason]! };
      }
    }
  }

  /** Position of the element in the tensor (Tile and Partials). */
  wordAt(element: number): number {
    return this.position.index * 64 + element;
  }

  #enter(level: Level, node: Bytes32): void {
    this.#move({ ...this.position, level, height: this.#depth(level), index: 0, ofState: level === Level.state }, node);
  }

  #depth(level: Level): number {
    switch (level) {
      case Level.segment:
        return segmentDepth(this.subject!.stepCount);
      case Level.trace:
        return depthOf(this.#sizes.operatorCount);
      case Level.state:
        return depthOf(this.#sizes.stateCount);
      case Level.digest:
        return depthOf(this.subject!.stepCount);
      default:
        return 0;
    }
  }

  #move(position: Position, node: Bytes32 | null): void {
    this.position = position;
    this.node = node;
    // A leaf needs no opening: the challenger enters it at once.
    const isLeaf = position.height === 0 && IS_TREE.has(position.level);
    this.published = isLeaf && node !== null ? { kind: "children", children: [node] } : null;
  }
}

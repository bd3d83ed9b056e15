/**
 * A tree whose leaves are tensor roots: state, trace, constants and dataset are all one (docs/protocol.md, section 1).
 * A tile is proved to the outer root in one fold.
 */

import { inTurns } from "../turns.ts";
import type { Bytes32 } from "./bytes32.ts";
import { tensorRoots, tensorRootsInPieces, tensorTree } from "./tensorRoot.ts";
import { tileBytes } from "./tile.ts";
import { MerkleTree, TreePositionError } from "./tree.ts";
import { nestedIndex } from "./treeProof.ts";

/** One tile with everything that proves it against an outer root. */
export interface TileProof {
  /** The tile's 256 bytes. */
  readonly words: Uint8Array;
  /** Position in the tree of trees. */
  readonly index: bigint;
  /** Inner siblings, then outer ones. */
  readonly siblings: readonly Bytes32[];
}

export class TensorsTree {
  /** The tree over the tensor roots. */
  readonly outer: MerkleTree;
  readonly #tensors: readonly Uint32Array[];
  readonly #inner: (MerkleTree | undefined)[];

  /**
   * @param tensors words of each tensor; kept, so do not change them afterwards.
   * @param roots of the tensors, 32 bytes each, where they are known.
   * @throws EmptyTreeError when there is none.
   */
  constructor(tensors: readonly Uint32Array[], roots: Uint8Array = tensorRoots(tensors)) {
    this.#tensors = tensors;
    this.#inner = [];
    this.outer = new MerkleTree(roots);
  }

  /** The same tree, hashed with turns for others where there is much to hash. @throws EmptyTreeError when there is no tensor. */
  static async inTurns(tensors: readonly Uint32Array[]): Promise<TensorsTree> {
    return new TensorsTree(tensors, await inTurns(tensorRootsInPieces(tensors)));
  }

  get root(): Bytes32 {
    return this.outer.root;
  }

  get tensorRoots(): Bytes32[] {
    return this.#tensors.map((_, tensor) => this.outer.node(0, tensor));
  }

  /** The tree over one tensor's tiles; built when first asked for. */
  tensor(tensor: number): MerkleTree {
    this.#inner[tensor] ??= tensorTree(this.#words(tensor));
    return this.#inner[tensor];
  }

  /** @throws TreePositionError, TileRangeError when there is no such tensor or tile. */
  tileProof(tensor: number, tile: number): TileProof {
    const inner = this.tensor(tensor);
    const words = tileBytes(this.#words(tensor), tile);
    const siblings = [...inner.proof(tile), ...this.outer.proof(tensor)];
    return { words, index: nestedIndex(tensor, tile, inner.depth), siblings };
  }

  #words(tensor: number): Uint32Array {
    const words = this.#tensors[tensor];
    if (words === undefined) throw new TreePositionError(0, tensor, this.outer.depth);
    return words;
  }
}

/** The commitment to one claim of partial results: the depth-4 tree over its 16 values (docs/protocol.md, section 3). */
import { TouchstoneError } from "../errors.ts";
import { integerToBytes32 } from "./bytes32.ts";
import { MerkleTree } from "./tree.ts";

export const PARTIALS = 16;

export class PartialsCountError extends TouchstoneError {
  readonly code = "PARTIALS_COUNT";
  constructor(count: number) {
    super(`A claim has ${PARTIALS} partial results, got ${count}. Set the unused ones to 0.`);
  }
}

/** @throws PartialsCountError unless there are exactly 16 values. */
export function partialsTree(values: readonly bigint[]): MerkleTree {
  if (values.length !== PARTIALS) throw new PartialsCountError(values.length);
  return MerkleTree.ofHashes(values.map(integerToBytes32));
}

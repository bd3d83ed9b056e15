/** The commitment to a program's constants: their tensor roots, bytes32(0) where there is none. */
import type { Tensor } from "../program/program.ts";
import { type Bytes32, ZERO_BYTES32 } from "./bytes32.ts";
import { stateRoot } from "./stateRoot.ts";
import { TensorsTree } from "./tensorsTree.ts";

export function constantsRoot(constants: readonly Tensor[]): Bytes32 {
  return constants.length === 0 ? ZERO_BYTES32 : stateRoot(constants);
}

/** @throws EmptyTreeError for a program without constants. */
export function constantsTree(constants: readonly Tensor[]): TensorsTree {
  return new TensorsTree(constants.map((tensor) => tensor.words));
}

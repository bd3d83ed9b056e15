/** The commitment to a state: the tensor roots of the state, in program order. */
import type { Tensor } from "../program/program.ts";
import { type Bytes32, toBytes32 } from "./bytes32.ts";
import { tensorRoots } from "./tensorRoot.ts";
import { TensorsTree } from "./tensorsTree.ts";
import { rootBytes } from "./tree.ts";

/** @throws EmptyTreeError for a state without tensors. */
export function stateRoot(state: readonly Tensor[]): Bytes32 {
  return toBytes32(rootBytes(tensorRoots(state.map((tensor) => tensor.words))));
}

export function stateTree(state: readonly Tensor[]): TensorsTree {
  return new TensorsTree(state.map((tensor) => tensor.words));
}

/** The same, hashed with turns for others. */
export function stateTreeInTurns(state: readonly Tensor[]): Promise<TensorsTree> {
  return TensorsTree.inTurns(state.map(({ words }) => words));
}

/** As `stateRoot`, hashed with turns for others. */
export async function stateRootInTurns(state: readonly Tensor[]): Promise<Bytes32> {
  return (await stateTreeInTurns(state)).root;
}

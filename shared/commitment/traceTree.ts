/** The commitment to one step: the tensor roots of every operator's output, in program order. */
import type { Tensor } from "../program/program.ts";
import { TensorsTree } from "./tensorsTree.ts";

/** Hashed with turns for others: a stranger's step may leave as many words as fit into memory. */
export function traceTree(outputs: readonly Tensor[]): Promise<TensorsTree> {
  return TensorsTree.inTurns(outputs.map(({ words }) => words));
}

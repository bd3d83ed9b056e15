/** The commitment to one step: the tensor roots of every operator's output, in program order. */
import type { Tensor } from "../program/program.ts";
import { TensorsTree } from "./tensorsTree.ts";

export function traceTree(outputs: readonly Tensor[]): TensorsTree {
  return new TensorsTree(outputs.map((tensor) => tensor.words));
}

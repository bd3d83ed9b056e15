/** How large a model is. */
import { Dtype, wordCount } from "../shared/program/descriptor.ts";
import type { Program } from "../shared/program/program.ts";
import { isInference } from "./fetchOutputs.ts";

/** Numbers that a run trains, without running statistics; of an inference, whose model is in its constants, the numbers of these. */
export function parameterCount({ state, constants }: Program): number {
  const tensors = isInference(state)
    ? constants.filter(({ dtype }) => dtype === Dtype.float32)
    : state.filter(({ role = "parameter" }) => role === "parameter");
  return tensors.reduce((sum, { shape }) => sum + wordCount(shape), 0);
}

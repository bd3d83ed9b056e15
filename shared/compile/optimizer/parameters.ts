/** Which tensors of a state are the model's own: the others are the optimizer's moments (docs/models.md). */
import type { StateTensor } from "../../program/program.ts";

/** Indices of the parameters, running statistics included. */
export function parameterIndices(state: readonly Pick<StateTensor, "role">[]): number[] {
  return state.flatMap(({ role = "parameter" }, index) => (role === "parameter" || role === "running" ? [index] : []));
}

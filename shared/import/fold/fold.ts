/**
 * Operators whose inputs are all known while the model is read are computed then: the shapes, masks and position tables that exporters
 * write out as long chains of nodes. Parameters are never known in this sense.
 */
import { ELEMENTWISE_FOLDS } from "./elementwise.ts";
import { MOVEMENT_FOLDS } from "./movement.ts";
import { REDUCTION_FOLDS } from "./reduce.ts";
import type { Fold } from "./rule.ts";

export const FOLDS: ReadonlyMap<string, Fold> = new Map(
  Object.entries({ ...ELEMENTWISE_FOLDS, ...MOVEMENT_FOLDS, ...REDUCTION_FOLDS }),
);

const PAIRS =
  "Add And CastLike CumSum Div Equal Expand Gather GatherElements Greater GreaterOrEqual Less LessOrEqual MatMul Mod Mul Or Pow Sub Tile Xor";
const TRIPLES = "OneHot Range ScatterND Where";
const INPUTS = new Map([
  ...PAIRS.split(" ").map((operator) => [operator, 2] as const),
  ...TRIPLES.split(" ").map((operator) => [operator, 3] as const),
]);

/** How many inputs an operator cannot do without. */
export function requiredInputs(operator: string): number {
  return INPUTS.get(operator) ?? 1;
}

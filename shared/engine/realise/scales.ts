/** How large the scales of a valid step are, for realisations whose exactness depends on it. */

import { GUARD_LIMIT } from "../../numerics/guard.ts";
import { Dtype, type Operand } from "../../program/descriptor.ts";
import type { Context } from "./context.ts";

/** Largest unit of an exact sum (`float32Sum.ts`). */
export const LARGEST_UNIT = 2 ** 60;

/** Largest word of a peak operand in a valid step: measured ones are within the guard's bound, constant ones are known. */
export function ceilingOf({ program }: Context, { reference: { kind, index } }: Operand): number {
  if (kind !== "constant") return GUARD_LIMIT;
  const { dtype, words } = program.constants[index]!;
  if (dtype !== Dtype.float32) return Number.POSITIVE_INFINITY;
  const values = new Float32Array(words.slice().buffer);
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** Exp: e^x for x clipped to ±27.7, so that the result is at most 2^40; |relative error| ≤ 4e-6. Gradient: g · y. */
import { exponential } from "./exponential.ts";
import { LIMIT } from "./limit.ts";
import { importUnary, type Unary } from "./unary.ts";

export const EXP: Unary = {
  layer: "exp",
  forward: exponential,
  slope: { of: "output", expression: (_, y) => y },
  isSteep: true,
  bound: 2 * LIMIT,
};

export const importExp = importUnary(() => EXP);

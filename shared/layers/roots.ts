/** Sqrt, of a number below zero 0. Gradient: g / (2 √x), with a root of at least 2^-20. */
import { importUnary, type Unary } from "./unary.ts";

const ROOT_FLOOR = 2 ** -20;

export const SQRT: Unary = {
  layer: "sqrt",
  forward: (map, x) => map.sqrt(map.max(x, map.immediate(0))),
  slope: {
    of: "output",
    expression: (map, y) => map.div(map.immediate(0.5), map.max(y, map.immediate(ROOT_FLOOR))),
  },
  isSteep: true,
};

export const importSqrt = importUnary(() => SQRT);

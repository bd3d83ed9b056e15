/** Log: log x for x clipped to [2^-31, 2^31]; |absolute error| ≤ 2e-6, and 5e-7 relative beyond 2. Gradient: g / x. */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { logarithm } from "./exponential.ts";
import { importUnary, type Unary } from "./unary.ts";

const LEAST = 2 ** -31;

function naturalLogarithm(map: MapBuilder, x: Register): Register {
  const one = map.immediate(1);
  const isSmall = map.less(x, one);
  const great = map.select(isSmall, map.div(one, map.clamp(x, LEAST, 1)), x);
  const value = logarithm(map, great);
  return map.select(isSmall, map.neg(value), value);
}

export const LOG: Unary = {
  layer: "log",
  forward: naturalLogarithm,
  slope: { of: "input", expression: (map, x) => map.div(map.immediate(1), map.max(x, map.immediate(LEAST))) },
  isSteep: true,
  bound: 22,
};

export const importLog = importUnary(() => LOG);

/**
 * Keeping elementwise results among the numbers. Every tensor that a Peak measures is at most 2^20 in a valid step, but a chain of
 * products need not pass one; so products, quotients and powers are clipped to ±2^40, where four of them still fit into float32.
 */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";

/** Magnitude that no product, quotient or power exceeds. */
export const LIMIT = 2 ** 40;
/** Magnitude that a divisor has at least. */
export const DIVISOR_FLOOR = 2 ** -40;

/** A product without what would be subnormal or beyond ±2^40. */
export function limited(map: MapBuilder, value: Register): Register {
  return map.clamp(map.flush(value), -LIMIT, LIMIT);
}

/** a / b, where a b closer to zero than 2^-40 counts as 2^-40 with its sign (zero is positive). */
export function quotient(map: MapBuilder, a: Register, b: Register): Register {
  const magnitude = map.div(a, map.max(map.abs(b), map.immediate(DIVISOR_FLOOR)));
  return limited(map, map.select(map.less(b, map.immediate(0)), map.neg(magnitude), magnitude));
}

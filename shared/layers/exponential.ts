/** exp and log as Map instructions, for layers that need them. */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";

/** e^(y) on [−1/256, 5/2], minimax in relative error, degree 9. */
const EXP = [
  1, 1.0000004768371582, 0.4999929666519165, 0.16670890152454376, 0.041542306542396545, 0.00853758491575718,
  0.0011902517871931195, 0.0003142068744637072, -1.4081805602472741e-5, 9.263335414289031e-6,
];
/** e^(±t) for 0 ≤ t ≤ 27.7, where it is 2^40. */
const POWER_MOST = 27.7;
export const EXP_LEAST = -1 / 32;
export const EXP_MOST = 20;

/**
 * e^(−t) for t clipped to [−1/32, 20]; |relative error| ≤ 2e-6 (≤ 1e-6 for t ≤ 2). The result lies in [2e-9, 1.04].
 * 1 / (e^(t/8))^8: the polynomial is positive and increasing, so its rounding errors stay relative, and three squarings
 * multiply them by 8 only.
 */
export function expNegative(map: MapBuilder, t: Register): Register {
  const eighth = map.mul(map.clamp(t, EXP_LEAST, EXP_MOST), map.immediate(1 / 8));
  let power = map.polynomial(eighth, EXP);
  for (let squaring = 0; squaring < 3; squaring++) power = map.mul(power, power);
  return map.div(map.immediate(1), power);
}

/**
 * e^x for x clipped to ±27.7; |relative error| ≤ 4e-6 (≤ 3e-6 for |x| ≤ 8), by (e^(|x|/16))^16 or its reciprocal.
 */
export function exponential(map: MapBuilder, x: Register): Register {
  const small = map.mul(map.min(map.abs(x), map.immediate(POWER_MOST)), map.immediate(1 / 16));
  let power = map.polynomial(small, EXP);
  for (let squaring = 0; squaring < 4; squaring++) power = map.mul(power, power);
  return map.select(map.less(x, map.immediate(0)), map.div(map.immediate(1), power), power);
}

/** log(1 + u) for u in [0, 1]; |absolute error| ≤ 2e-7. 2 artanh(u / (2 + u)) by its series. */
export function logarithmOfOnePlus(map: MapBuilder, u: Register): Register {
  const ratio = map.div(u, map.add(u, map.immediate(2)));
  const square = map.max(map.mul(ratio, ratio), map.immediate(2 ** -40));
  const series = Array.from({ length: 8 }, (_, k) => 2 / (2 * k + 1));
  return map.mul(ratio, map.polynomial(square, series));
}

export const LOG_LEAST = 0.75;
export const LOG_MOST = 2 ** 31;

/**
 * log(s) for s clipped to [3/4, 2^31]; |relative error| ≤ 5e-7 from 1 on. Powers of two are divided out by comparisons until m is
 * in [2^-1/2, 2^1/2], then log m = 2 artanh((m − 1) / (m + 1)) by its series.
 */
export function logarithm(map: MapBuilder, s: Register): Register {
  let mantissa = map.clamp(s, LOG_LEAST, LOG_MOST);
  let exponent: Register | null = null;
  for (const shift of [16, 8, 4, 2, 1]) {
    const greater = map.less(map.immediate(Math.SQRT2 * 2 ** (shift - 1)), mantissa);
    mantissa = map.select(greater, map.mul(mantissa, map.immediate(2 ** -shift)), mantissa);
    const part = map.mul(greater, map.immediate(shift));
    exponent = exponent === null ? part : map.add(exponent, part);
  }
  // The clamp says what the comparisons have achieved, to an analysis by intervals.
  const m = map.clamp(mantissa, 0.7, 1.42);
  const ratio = map.div(map.sub(m, map.immediate(1)), map.add(m, map.immediate(1)));
  const series = map.polynomial(map.mul(ratio, ratio), [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]);
  return map.add(map.mul(exponent!, map.immediate(Math.LN2)), map.mul(ratio, series));
}

/** Odd functions that level off, as a rational function of the clipped input, in Map instructions. */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";

/** x · P(x²) / Q(x²) for |x| ≤ limit; Q starts with 1 and has no negative coefficient, so it is at least 1. */
export interface OddRational {
  readonly limit: number;
  /** P, by rising degree. */
  readonly numerator: readonly number[];
  /** Q, by rising degree. */
  readonly denominator: readonly number[];
}

/** Keeps the subnormal values of x² from being seen; below it x² does not count. */
const SQUARE_FLOOR = 2 ** -40;

/** The function's value, flushed. */
export function oddRational(
  map: MapBuilder,
  input: Register,
  { limit, numerator, denominator }: OddRational,
): Register {
  const x = map.clamp(input, -limit, limit);
  const square = map.max(map.mul(x, x), map.immediate(SQUARE_FLOOR));
  const above = map.mul(x, map.polynomial(square, numerator));
  return map.flush(map.div(above, map.polynomial(square, denominator)));
}

/** The same function of factor · x, times scale. */
export function stretched({ limit, numerator, denominator }: OddRational, factor: number, scale: number): OddRational {
  return {
    limit: limit / factor,
    numerator: numerator.map((coefficient, k) => coefficient * scale * factor ** (2 * k + 1)),
    denominator: denominator.map((coefficient, k) => coefficient * factor ** (2 * k)),
  };
}

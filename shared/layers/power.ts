/**
 * Pow with one constant exponent, a multiple of ½ from −8 to 8: products and a root, correctly rounded each. A base is clipped so that no
 * partial product leaves float32; where the base is negative and the exponent is no integer, or the base is 0 and the exponent
 * negative, the least admissible base counts instead. Results are clipped to ±2^40. Gradient: g · e · x^(e − 1).
 */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { limited } from "./limit.ts";
import { type Unary, unary } from "./unary.ts";

const MOST_EXPONENT = 8;
/** Bits of magnitude within which every product of a power stays. */
const RANGE = 120;

/** x^exponent as Map instructions. */
function power(map: MapBuilder, x: Register, exponent: number): Register {
  if (exponent === 0) return map.add(map.mul(map.clamp(x, 0, 1), map.immediate(0)), map.immediate(1));
  if (exponent === 1) return x;
  if (exponent === 2) return limited(map, map.mul(x, x));
  const size = Math.abs(exponent);
  const whole = Math.floor(size);
  const isInteger = whole === size;
  const reach = Math.min(40, Math.floor(RANGE / size));
  const least = exponent < 0 ? 2 ** -reach : 0;
  const magnitude = map.clamp(isInteger ? map.abs(x) : x, least, 2 ** reach);
  let value = isInteger ? null : map.sqrt(magnitude);
  for (let factor = 0; factor < whole; factor++) {
    if (value === null) value = magnitude;
    // What would be subnormal is taken out at each step; a base with a floor gives nothing subnormal.
    else value = least > 0 ? map.mul(value, magnitude) : map.flush(map.mul(value, magnitude));
  }
  if (exponent < 0) value = map.div(map.immediate(1), value!);
  if (isInteger && whole % 2 === 1) value = map.select(map.less(x, map.immediate(0)), map.neg(value!), value!);
  return limited(map, value!);
}

export function powerOf(exponent: number): Unary {
  return {
    layer: "pow",
    forward: (map, x) => power(map, x, exponent),
    slope: {
      of: "input",
      expression: (map, x) => limited(map, map.mul(map.immediate(exponent), power(map, x, exponent - 1))),
    },
    isSteep: true,
  };
}

export const importPow: Importer = (context) => {
  const exponents = context.host(1);
  if (exponents === null || exponents.values.some((value) => value !== exponents.values[0])) {
    throw context.error("its exponent is not one constant number", "Write x^y as Exp(Mul(y, Log(x))).");
  }
  const exponent = exponents.values[0]!;
  if (!Number.isInteger(2 * exponent) || Math.abs(exponent) > MOST_EXPONENT) {
    throw context.error(
      `the exponent ${exponent} is no multiple of ½ from −${MOST_EXPONENT} to ${MOST_EXPONENT}`,
      "Write x^y as Exp(Mul(y, Log(x))).",
    );
  }
  const input = context.tensor(0);
  if (exponents.dimensions.length > context.graph.shape(input).length) {
    throw context.error("its exponent has more axes than its base", "Use a scalar exponent.");
  }
  return exponent === 1
    ? input
    : unary(context.graph, input, `${layerName(context.graph, input)}.pow`, powerOf(exponent));
};

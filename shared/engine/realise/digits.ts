/** Quantised numbers as balanced digits of base 2^width, which float32 and int8 products add up exactly. */
import type { GraphBuilder, Value } from "./graph.ts";
import { elementwise } from "./nodes.ts";

/** Digits of magnitude at most 64: exact in int8, float16, bfloat16 and tf32 too. */
export const DOT_WIDTH = 7;

/** One digit of a number on the grid of `bits` bits, and where it stands. */
export interface DigitPlace {
  /** Power of two: the digit counts this many steps of the grid. */
  readonly weight: number;
  /** Largest magnitude of the digit, at most 2^(width − 1). */
  readonly bound: number;
}

/** The places of an integer of magnitude at most 2^bits, from the least. */
export function digitPlaces(bits: number, width: number): DigitPlace[] {
  const count = Math.ceil((bits + 1) / width);
  return Array.from({ length: count }, (_, j) => ({
    weight: 2 ** (width * j),
    bound: 2 ** (j < count - 1 ? width - 1 : bits - width * j),
  }));
}

/**
 * The digits of x, a multiple of u = peak · 2^-bits of magnitude at most the peak, each times weight · u: they carry their scale and add up to
 * x. Each is the rest rounded to the next higher place; that is at most half a step of it, so the digits below are at most 2^(width − 1).
 */
export function scaledDigits(graph: GraphBuilder, x: Value, peak: Value, bits: number, width: number): Value[] {
  const places = digitPlaces(bits, width);
  const digits: Value[] = [];
  let rest = x;
  for (const { weight } of places.slice(1).reverse()) {
    const digit = snap(graph, rest, peak, weight * 2 ** -bits);
    digits.unshift(digit);
    rest = elementwise(graph, "Sub", [rest, digit]);
  }
  return [rest, ...digits];
}

/** (x + c) − c: the nearest multiple of `step` · scale, where scale is a power of two and |x| ≤ 2^22 of them. */
export function snap(graph: GraphBuilder, x: Value, scale: Value, step: number): Value {
  const shift = elementwise(graph, "Mul", [scale, graph.float(1.5 * 2 ** 23 * step)]);
  return elementwise(graph, "Sub", [elementwise(graph, "Add", [x, shift]), shift]);
}

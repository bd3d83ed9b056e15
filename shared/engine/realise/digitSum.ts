/** What Sum and SumByIndex without float64 have in common: digits so small that float32 adds up all of one place exactly. */
import { digitPlaces } from "./digits.ts";
import { EXACT, Float32Sum } from "./float32Sum.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { elementwise } from "./nodes.ts";

const WIDEST = 11;

/** The width of digits of which float32 adds `length` exactly; null where there is none. */
export function widthFor(length: number): number | null {
  const width = Math.min(WIDEST, 1 + Math.floor(Math.log2(EXACT / length)));
  return width < 1 ? null : width;
}

/** RN32 of the sum of the places' totals, each of at most `length` digits; the scale broadcasts to them. */
export function digitSum(
  graph: GraphBuilder,
  totals: readonly Value[],
  scale: Value,
  { bits, width, length }: { readonly bits: number; readonly width: number; readonly length: number },
): Value {
  const sum = new Float32Sum(graph, elementwise(graph, "Mul", [scale, graph.float(2 ** -bits)]));
  for (const [j, { weight, bound }] of digitPlaces(bits, width).entries()) {
    sum.add({ value: totals[j]!, grid: weight, bound: bound * length * weight });
  }
  return sum.rounded();
}

/**
 * Integer grids (docs/numerics.md, section 2.3): (x + c) − c with c = 1.5 · 2^23 · u. The values stay multiples of u instead of integers, so products
 * and sums of them carry the scale by themselves and the final rounding needs no scaling.
 */
import type { Operand } from "../../program/descriptor.ts";
import { OnnxType } from "../../program/onnx/model.ts";
import { type Context, resolveNumbers } from "./context.ts";
import { scaledDigits, snap } from "./digits.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast } from "./nodes.ts";
import { alongside, coversAll, takeView, type View } from "./views.ts";

/** What becomes of a number on its grid: one or more tensors of its shape. */
export type Form = (graph: GraphBuilder, snapped: Value, peak: Value, bits: number) => readonly Value[];

export const asFloat64: Form = (graph, snapped) => [cast(graph, snapped, OnnxType.float64)];

/** Float32 digits that carry their scale, from the least. */
export const asDigits =
  (width: number): Form =>
  (graph, snapped, peak, bits) =>
    scaledDigits(graph, snapped, peak, bits, width);

/** An operand on its grid. */
export interface Quantised {
  /** The tensors of the form over the output dimensions and the reduced axis, all in the same order. */
  readonly views: readonly View[];
  readonly peak: View;
}

/** The operand x on the grid of its peak, which does not follow the reduced axis. */
export function quantise(
  context: Context,
  x: Operand,
  peak: Operand,
  lengths: readonly number[],
  bits: number,
  form: Form,
): Quantised {
  const { graph } = context;
  const numbers = resolveNumbers(context, x);
  const peakView = takeView(graph, context.resolve(peak.reference), peak, lengths.slice(0, -1));
  const formed = (values: Value, scale: Value) => form(graph, snap(graph, values, scale, 2 ** -bits), scale, bits);
  if (peakView.order.length === 0 && coversAll(x, lengths)) {
    // One copy of the whole tensor serves every view of it.
    const views = formed(numbers, peakView.value).map((value) => takeView(graph, value, x, lengths));
    return { views, peak: peakView };
  }
  const view = takeView(graph, numbers, x, lengths);
  const order = [...peakView.order.filter((dimension) => !view.order.includes(dimension)), ...view.order];
  const values = formed(alongside(graph, view, order), alongside(graph, peakView, order));
  return { views: values.map((value) => ({ value, order })), peak: peakView };
}

/**
 * Integer grids (docs/numerics.md, section 2.3): (x + c) − c with c = 1.5 · 2^23 · u. The values stay multiples of u instead of integers, so products
 * and sums of them carry the scale by themselves and the final rounding needs no scaling.
 */

import { OnnxType } from "../../onnx/model.ts";
import { Dtype, type Operand, wordCount } from "../../program/descriptor.ts";
import { type Context, resolveNumbers } from "./context.ts";
import { scaledDigits, snap } from "./digits.ts";
import { pickRows } from "./gather.ts";
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
  const peakView = takeView(graph, context.resolve(peak.reference), peak, lengths.slice(0, -1));
  const formed = (values: Value, scale: Value) => form(graph, snap(graph, values, scale, 2 ** -bits), scale, bits);
  if (peakView.order.length === 0 && coversAll(x, lengths)) {
    // One copy of the whole tensor serves every view of it.
    const whole = formedWhole(context, x, (numbers) => formed(numbers, peakView.value));
    return { views: whole.map((value) => takeView(graph, value, x, lengths)), peak: peakView };
  }
  const view = takeView(graph, resolveNumbers(context, x), x, lengths);
  const order = [...peakView.order.filter((dimension) => !view.order.includes(dimension)), ...view.order];
  const values = formed(alongside(graph, view, order), alongside(graph, peakView, order));
  return { views: values.map((value) => ({ value, order })), peak: peakView };
}

/** The whole tensor that an operand refers to, on the grid of a peak of one word, as float64. */
export function quantiseWhole(context: Context, x: Operand, peak: Operand, bits: number): Value {
  const { graph } = context;
  const scale = takeView(graph, context.resolve(peak.reference), peak, []).value;
  return asFloat64(graph, snap(graph, resolveNumbers(context, x), scale, 2 ** -bits), scale, bits)[0]!;
}

/**
 * `formed` of the whole tensor that an operand refers to. Where that is a Gather of rows by a constant index, its table is formed instead,
 * which is smaller, and the forms are gathered: they go word by word and leave zero as it is.
 */
function formedWhole(context: Context, x: Operand, formed: (numbers: Value) => readonly Value[]): readonly Value[] {
  const { kind, index } = x.reference;
  const operator = kind === "operator" ? context.program.operators[index]!.operator : undefined;
  if (operator?.family === "gather" && operator.dtype === Dtype.float32) {
    const [table] = operator.operands;
    const gathers = wordCount(operator.shape) >= table.count;
    const picked = gathers
      ? formedWhole(context, table, formed).map((value) => pickRows(context, operator, value))
      : [null];
    if (picked.every((value) => value !== null)) return picked;
  }
  return formed(resolveNumbers(context, x));
}

/**
 * Integer grids (docs/numerics.md, section 2.3): (x + c) − c with c = 1.5 · 2^23 · u, then float64. The values stay multiples of u instead of
 * integers, so products and sums of them carry the scale by themselves and the final Cast rounds once.
 */
import type { Operand } from "../../program/descriptor.ts";
import { OnnxType } from "../../program/onnx/model.ts";
import { type Context, resolveNumbers } from "./context.ts";
import type { Value } from "./graph.ts";
import { cast, elementwise } from "./nodes.ts";
import { alongside, coversAll, takeView, type View } from "./views.ts";

/** The operand x on the grid of its peak as float64, over the output dimensions and the reduced axis. The peak does not follow the latter. */
export function quantisedView(
  context: Context,
  x: Operand,
  peak: Operand,
  lengths: readonly number[],
  bits: number,
): View {
  const { graph } = context;
  const numbers = resolveNumbers(context, x);
  const peakView = takeView(graph, context.resolve(peak.reference), peak, lengths.slice(0, -1));
  if (peakView.order.length === 0 && coversAll(x, lengths)) {
    // One copy of the whole tensor serves every view of it.
    return takeView(graph, snap(context, numbers, peakView.value, bits), x, lengths);
  }
  const view = takeView(graph, numbers, x, lengths);
  const order = [...peakView.order.filter((dimension) => !view.order.includes(dimension)), ...view.order];
  return { value: snap(context, alongside(graph, view, order), alongside(graph, peakView, order), bits), order };
}

function snap({ graph }: Context, x: Value, peak: Value, bits: number): Value {
  const shift = elementwise(graph, "Mul", [peak, graph.float(1.5 * 2 ** (23 - bits))]);
  const snapped = elementwise(graph, "Sub", [elementwise(graph, "Add", [x, shift]), shift]);
  return cast(graph, snapped, OnnxType.float64);
}

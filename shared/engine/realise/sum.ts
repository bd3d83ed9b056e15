/** Sum (docs/numerics.md, section 2.5): a float64 ReduceSum of the quantised operand, whose every partial sum is exact, or one for each of its digits. */

import { OnnxType } from "../../onnx/model.ts";
import type { SumOperator } from "../../program/descriptor.ts";
import type { SumRealisation } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import { digitSum, widthFor } from "./digitSum.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast, elementwise, expand, reduce } from "./nodes.ts";
import { asDigits, asFloat64, quantise } from "./quantise.ts";
import { arrange, type View } from "./views.ts";

/** A realisation that does not reach as far as the operator needs gives way to float64. */
export function realiseSum(context: Context, operator: SumOperator, realisation: SumRealisation): Value {
  const { graph } = context;
  const { shape, length, bits } = operator;
  const [x, peak] = operator.operands;
  const width = realisation === "digits32" ? widthFor(length) : null;
  const form = width === null ? asFloat64 : asDigits(width);
  const quantised = quantise(context, x, peak, [...shape, length], bits, form);
  const totals = quantised.views.map((view) => totalOf(graph, view, shape.length, length));
  const order = quantised.views[0]!.order.filter((dimension) => dimension !== shape.length);
  const dimensions = shape.map((_, d) => d);
  const placed = (value: Value, along: readonly number[]) => arrange(graph, { value, order: along }, dimensions);
  if (width === null) {
    return expand(graph, placed(cast(graph, totals[0]!, OnnxType.float32), order), shape);
  }
  const scale = placed(quantised.peak.value, quantised.peak.order);
  const terms = totals.map((total) => placed(total, order));
  return expand(graph, digitSum(graph, terms, scale, { bits, width, length }), shape);
}

/** Over the reduced axis, which disappears. */
function totalOf(graph: GraphBuilder, view: View, reduced: number, length: number): Value {
  const axis = view.order.indexOf(reduced);
  if (axis !== -1) return reduce(graph, "ReduceSum", view.value, axis);
  const { type } = view.value;
  const data = type === OnnxType.float64 ? Float64Array.of(length) : Float32Array.of(length);
  return elementwise(graph, "Mul", [view.value, graph.constant(type, [], data)]);
}

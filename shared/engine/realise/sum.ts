/** Sum (docs/numerics.md, section 2.5): a float64 ReduceSum of the quantised operand, whose every partial sum is exact. */
import type { SumOperator } from "../../program/descriptor.ts";
import { OnnxType } from "../../program/onnx/model.ts";
import type { Context } from "./context.ts";
import type { Value } from "./graph.ts";
import { cast, elementwise, expand, reduce } from "./nodes.ts";
import { quantisedView } from "./quantise.ts";
import { arrange } from "./views.ts";

export function realiseSum(context: Context, operator: SumOperator): Value {
  const { graph } = context;
  const { shape, length, bits } = operator;
  const [x, peak] = operator.operands;
  const view = quantisedView(context, x, peak, [...shape, length], bits);
  const axis = view.order.indexOf(shape.length);
  const total =
    axis === -1
      ? elementwise(graph, "Mul", [view.value, graph.constant(OnnxType.float64, [], Float64Array.of(length))])
      : reduce(graph, "ReduceSum", view.value, axis);
  const order = view.order.filter((dimension) => dimension !== shape.length);
  const rounded = cast(graph, total, OnnxType.float32);
  const dimensions = shape.map((_, d) => d);
  return expand(graph, arrange(graph, { value: rounded, order }, dimensions), shape);
}

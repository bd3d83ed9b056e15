/** Peak (docs/numerics.md, section 2.7): the greatest magnitude; mode 1 raises it to a power of two (Rump, Ogita, Oishi 2008, NextPowerTwo). */
import type { PeakOperator } from "../../program/descriptor.ts";
import { type Context, resolveNumbers } from "./context.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { elementwise, expand, reduce } from "./nodes.ts";
import { arrange, coversAll, takeView, type View } from "./views.ts";

const FLOOR = 2 ** -40;

/** The magnitudes that a Peak measures, which the guard measures too, and its output. */
export interface Measured {
  readonly magnitudes: Value;
  readonly maxima: Value;
  readonly output: Value;
}

export function realisePeak(context: Context, operator: PeakOperator): Measured {
  const { graph } = context;
  const { shape, length } = operator;
  const view = magnitudesView(context, operator, [...shape, length]);
  const axis = view.order.indexOf(shape.length);
  const maxima = axis === -1 ? view.value : reduce(graph, "ReduceMax", view.value, axis);
  const order = view.order.filter((dimension) => dimension !== shape.length);
  const raised = operator.mode === 0 ? maxima : nextPowerOfTwo(graph, maxima);
  const dimensions = shape.map((_, d) => d);
  const output = expand(graph, arrange(graph, { value: raised, order }, dimensions), shape);
  return { magnitudes: view.value, maxima, output };
}

function magnitudesView(context: Context, operator: PeakOperator, lengths: readonly number[]): View {
  const { graph } = context;
  const [x] = operator.operands;
  const numbers = resolveNumbers(context, x);
  // Taken before the view where that is no more work: the guard's magnitudes of the same tensor are then the same node.
  if (coversAll(x, lengths)) return takeView(graph, elementwise(graph, "Abs", [numbers]), x, lengths);
  const view = takeView(graph, numbers, x, lengths);
  return { value: elementwise(graph, "Abs", [view.value]), order: view.order };
}

function nextPowerOfTwo(graph: GraphBuilder, maxima: Value): Value {
  const p = elementwise(graph, "Max", [maxima, graph.float(FLOOR)]);
  const q = elementwise(graph, "Mul", [p, graph.float(2 ** 24)]);
  const raised = elementwise(graph, "Sub", [elementwise(graph, "Add", [q, p]), q]);
  return elementwise(graph, "Max", [raised, p]);
}

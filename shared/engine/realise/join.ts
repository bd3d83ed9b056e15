/** Join (docs/numerics.md, section 2.11): the operands and the zeros between them, concatenated. */
import { type JoinOperator, operandShape } from "../../program/descriptor.ts";
import { type Context, ONNX_TYPE } from "./context.ts";
import { UnrealisableError } from "./errors.ts";
import { integer, type Value } from "./graph.ts";
import { expand, zeros } from "./nodes.ts";
import { arrange, takeView } from "./views.ts";

export function realiseJoin(context: Context, operator: JoinOperator): Value {
  const { graph } = context;
  const { shape, axis, ranges, dtype } = operator;
  const dimensions = shape.map((_, d) => d);
  const type = ONNX_TYPE[dtype];
  const parts: Value[] = [];
  let end = 0;
  const fillTo = (start: number): void => {
    if (start < end) throw new UnrealisableError("its ranges overlap or leave the dimension");
    if (start > end) parts.push(zeros(graph, type, shape.with(axis, start - end)));
  };
  for (const [at, operand] of operator.operands.entries()) {
    const { start, extent } = ranges[at]!;
    const lengths = operandShape(operator, at);
    fillTo(start);
    const view = takeView(graph, context.resolve(operand.reference), operand, lengths);
    parts.push(expand(graph, arrange(graph, view, dimensions), lengths));
    end = start + extent;
  }
  fillTo(shape[axis]!);
  if (parts.length === 1) return parts[0]!;
  return graph.node("Concat", parts, type, shape, { axis: integer(axis) });
}

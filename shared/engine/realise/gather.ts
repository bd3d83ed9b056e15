/** Gather (docs/numerics.md, section 2.8): rows of a table where the index picks whole rows, else single words by address. */
import { Dtype, type GatherOperator, type Operand, wordCount } from "../../program/descriptor.ts";
import { OnnxType } from "../../program/onnx/model.ts";
import { type Context, ONNX_TYPE } from "./context.ts";
import { UnrealisableError } from "./errors.ts";
import { integer, type Value } from "./graph.ts";
import { indexIsBelow } from "./indexBounds.ts";
import { elementwise, expand, reshape } from "./nodes.ts";
import { arrange, broadcastable, takeView, type View } from "./views.ts";

export function realiseGather(context: Context, operator: GatherOperator): Value {
  const { graph, program } = context;
  const { shape, rows } = operator;
  const [, index] = operator.operands;
  const raw = takeView(graph, context.resolve(index.reference), index, shape);
  const inside = indexIsBelow(program, index, rows);
  const zero = graph.constant(OnnxType.int32, [], Int32Array.of(0));
  const outside = inside
    ? null
    : elementwise(
        graph,
        "Or",
        [
          elementwise(graph, "Less", [raw.value, zero], OnnxType.bool),
          elementwise(graph, "GreaterOrEqual", [raw.value, int32(context, rows)], OnnxType.bool),
        ],
        OnnxType.bool,
      );
  const safe: View =
    outside === null
      ? raw
      : { value: elementwise(graph, "Where", [outside, zero, raw.value], OnnxType.int32), order: raw.order };

  const copied = gatherRows(context, operator, safe) ?? gatherWords(context, operator, safe);
  if (outside === null) return copied;
  const mask = broadcastable(graph, { value: outside, order: raw.order }, shape.length);
  const nothing = operator.dtype === Dtype.float32 ? graph.float(0) : zero;
  return elementwise(graph, "Where", [mask, nothing, copied], ONNX_TYPE[operator.dtype]);
}

const int32 = ({ graph }: Context, value: number) => graph.constant(OnnxType.int32, [], Int32Array.of(value));

/** Whole rows, where no output dimension moves both the index and the table. */
function gatherRows(context: Context, operator: GatherOperator, index: View): Value | null {
  const { graph } = context;
  const { shape, rows, rowStride } = operator;
  const [table] = operator.operands;
  const moves = (d: number) => shape[d]! > 1 && table.strides[d] !== 0;
  const dimensions = shape.map((_, d) => d);
  if (index.order.some(moves)) return null;
  const rowDimension = shape.length;
  const view = takeView(graph, context.resolve(table.reference), withRows(table, rowStride), [...shape, rows]);
  const columns = dimensions.filter(moves);
  const records = arrange(graph, view, [rowDimension, ...columns]);
  const wanted = index.order.map((d) => shape[d]!);
  const gathered =
    rows === 1 || rowStride === 0
      ? expand(graph, reshape(graph, records, [...wanted.map(() => 1), ...columns.map((d) => shape[d]!)]), [
          ...wanted,
          ...columns.map((d) => shape[d]!),
        ])
      : graph.node(
          "Gather",
          [records, reshape(graph, index.value, wanted)],
          records.type,
          [...wanted, ...columns.map((d) => shape[d]!)],
          {
            axis: integer(0),
          },
        );
  return expand(graph, arrange(graph, { value: gathered, order: [...index.order, ...columns] }, dimensions), shape);
}

const withRows = (table: Operand, rowStride: number): Operand => ({ ...table, strides: [...table.strides, rowStride] });

/** Word by word: the address is a constant of the position plus the index times the row's stride. */
function gatherWords(context: Context, operator: GatherOperator, index: View): Value {
  const { graph } = context;
  const { shape, rows, rowStride } = operator;
  const [table] = operator.operands;
  const source = context.resolve(table.reference);
  const bases = new Int32Array(wordCount(shape));
  for (let i = 0; i < bases.length; i++) {
    let rest = i;
    let base = table.offset;
    for (let d = shape.length - 1; d >= 0; d--) {
      base += (rest % shape[d]!) * table.strides[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
    if (base < 0 || base + (rows - 1) * rowStride >= table.count) {
      throw new UnrealisableError(`row ${rows - 1} lies outside the table`);
    }
    bases[i] = base;
  }
  const offsets = elementwise(graph, "Mul", [
    broadcastable(graph, index, shape.length),
    graph.constant(OnnxType.int32, [], Int32Array.of(rowStride)),
  ]);
  const addresses = elementwise(graph, "Add", [graph.constant(OnnxType.int32, shape, bases), offsets]);
  return graph.node("Gather", [reshape(graph, source, [table.count]), addresses], source.type, shape, {
    axis: integer(0),
  });
}

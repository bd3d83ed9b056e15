/**
 * Gather (docs/numerics.md, section 2.8): rows of a table where the index picks whole rows, else single words by address. An index that is a
 * constant of the program is looked through while the graph is built.
 */

import { OnnxType } from "../../onnx/model.ts";
import { Dtype, type GatherOperator, type Operand, wordCount } from "../../program/descriptor.ts";
import { type Context, ONNX_TYPE } from "./context.ts";
import { UnrealisableError } from "./errors.ts";
import { type GraphBuilder, integer, type Value } from "./graph.ts";
import { indexIsBelow } from "./indexBounds.ts";
import { elementwise, expand, reshape } from "./nodes.ts";
import { arrange, broadcastable, takeView, type View } from "./views.ts";

export function realiseGather(context: Context, operator: GatherOperator): Value {
  const { graph, program } = context;
  const picked = pickRows(context, operator, context.resolve(operator.operands[0].reference));
  if (picked !== null) return picked;
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

/**
 * The Gather applied to `source`, which stands for its table word by word, where the index is a constant that picks rows between the table's
 * other axes; null elsewhere. Where an index lies outside, the result has zeros.
 */
export function pickRows(context: Context, operator: GatherOperator, source: Value): Value | null {
  const { graph, program } = context;
  const { shape, rows, rowStride } = operator;
  const [table, index] = operator.operands;
  if (index.reference.kind !== "constant") return null;
  const follows = ({ strides }: Operand) => shape.map((_, d) => d).filter((d) => shape[d]! > 1 && strides[d] !== 0);
  const [moving, indexed] = [follows(table), follows(index)];
  const [first, last] = [indexed[0] ?? 0, indexed.at(-1) ?? -1];
  if (moving.some((d) => d >= first && d <= last)) return null;

  const [lead, middle, trail] = [shape.slice(0, first), shape.slice(first, last + 1), shape.slice(last + 1)];
  const view = takeView(graph, source, withRows(table, rowStride), [...shape, rows]);
  const dimensions = shape.map((_, d) => d);
  const order = [...dimensions.slice(0, first), shape.length, ...dimensions.slice(last + 1)];
  const records = arrange(graph, view, order);
  const held = records.shape[first]!;
  const { words } = program.constants[index.reference.index]!;
  let outside = false;
  const positions = Int32Array.from({ length: wordCount(middle) }, (_, at) => {
    const word = words[addressOf(index, middle, first, at)]! | 0;
    const inside = word >= 0 && word < rows;
    outside ||= !inside;
    return inside ? Math.min(word, held - 1) : held;
  });
  const full = outside ? withZeroRow(graph, records, first) : records;
  const chosen = graph.constant(OnnxType.int32, middle, positions);
  const taken = [...records.shape.slice(0, first), ...middle, ...records.shape.slice(first + 1)];
  const gathered = graph.node("Gather", [full, chosen], source.type, taken, { axis: integer(first) });
  return expand(graph, gathered, [...lead, ...middle, ...trail]);
}

/** The index operand's address at position `at` of the dimensions `first …` with extents `shape`. */
function addressOf({ offset, strides }: Operand, shape: readonly number[], first: number, at: number): number {
  let [address, rest] = [offset, at];
  for (let d = shape.length - 1; d >= 0; d--) {
    address += (rest % shape[d]!) * strides[first + d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return address;
}

/** One more row along an axis, of zeros. */
function withZeroRow(graph: GraphBuilder, value: Value, axis: number): Value {
  const rank = value.shape.length;
  const pads = Array.from({ length: 2 * rank }, (_, at) => (at === rank + axis ? 1 : 0));
  return graph.node("Pad", [value, graph.integers(pads)], value.type, value.shape.with(axis, value.shape[axis]! + 1));
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

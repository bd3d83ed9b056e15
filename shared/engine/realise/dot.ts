/** Dot (docs/numerics.md, section 2.4): one float64 matrix product of quantised operands, whose every partial sum is exact. */
import type { DotOperator } from "../../program/descriptor.ts";
import { wordCount } from "../../program/descriptor.ts";
import { OnnxType } from "../../program/onnx/model.ts";
import type { Context } from "./context.ts";
import { type GraphBuilder, integer, type Value } from "./graph.ts";
import { cast, expand, reshape } from "./nodes.ts";
import { quantisedView } from "./quantise.ts";
import { arrange, type View } from "./views.ts";

export function realiseDot(context: Context, operator: DotOperator): Value {
  const { graph } = context;
  const { shape, length, bits } = operator;
  const [a, b, peakA, peakB] = operator.operands;
  const lengths = [...shape, length];
  const left = quantisedView(context, a, peakA, lengths, bits);
  const right = quantisedView(context, b, peakB, lengths, bits);

  const dimensions = shape.map((_, d) => d);
  const inLeft = (d: number) => left.order.includes(d);
  const inRight = (d: number) => right.order.includes(d);
  const batch = dimensions.filter((d) => inLeft(d) && inRight(d));
  const rows = dimensions.filter((d) => inLeft(d) && !inRight(d));
  const columns = dimensions.filter((d) => inRight(d) && !inLeft(d));

  // The product is symmetric; the side whose dimensions come first in the output goes to the left, which saves a Transpose.
  const swap = (columns[0] ?? Number.POSITIVE_INFINITY) < (rows[0] ?? -1);
  const [first, firstDimensions] = swap ? [right, columns] : [left, rows];
  const [second, secondDimensions] = swap ? [left, rows] : [right, columns];
  const product =
    batch.length === 0
      ? matrixProduct(graph, lengths, first, firstDimensions, second, secondDimensions)
      : batchedProduct(graph, lengths, batch, first, firstDimensions, second, secondDimensions);

  const order = [...batch, ...firstDimensions, ...secondDimensions];
  const rounded = cast(graph, product, OnnxType.float32);
  const value = reshape(
    graph,
    rounded,
    order.map((d) => shape[d]!),
  );
  return expand(graph, arrange(graph, { value, order }, dimensions), shape);
}

const size = (lengths: readonly number[], dimensions: readonly number[]) =>
  wordCount(dimensions.map((d) => lengths[d]!));

function matrixProduct(
  graph: GraphBuilder,
  lengths: readonly number[],
  left: View,
  rows: readonly number[],
  right: View,
  columns: readonly number[],
): Value {
  const a = matrix(graph, lengths, left, rows);
  const b = matrix(graph, lengths, right, columns);
  const shape = [size(lengths, rows), size(lengths, columns)];
  return graph.node("Gemm", [a.value, b.value], OnnxType.float64, shape, {
    transA: integer(a.reducedFirst ? 1 : 0),
    transB: integer(b.reducedFirst ? 0 : 1),
  });
}

/** The view as a matrix of the kept dimensions and the reduced axis, in whichever of both orders it lies in memory. */
function matrix(
  graph: GraphBuilder,
  lengths: readonly number[],
  view: View,
  kept: readonly number[],
): { value: Value; reducedFirst: boolean } {
  const reduced = lengths.length - 1;
  const reducedFirst = view.order[0] === reduced;
  const value = arrangeFull(graph, lengths, view, reducedFirst ? [reduced, ...kept] : [...kept, reduced]);
  const [keptSize, reducedSize] = [size(lengths, kept), lengths[reduced]!];
  return {
    value: reshape(graph, value, reducedFirst ? [reducedSize, keptSize] : [keptSize, reducedSize]),
    reducedFirst,
  };
}

function batchedProduct(
  graph: GraphBuilder,
  lengths: readonly number[],
  batch: readonly number[],
  left: View,
  rows: readonly number[],
  right: View,
  columns: readonly number[],
): Value {
  const reduced = lengths.length - 1;
  const [batches, m, n, k] = [size(lengths, batch), size(lengths, rows), size(lengths, columns), lengths[reduced]!];
  const a = reshape(graph, arrangeFull(graph, lengths, left, [...batch, ...rows, reduced]), [batches, m, k]);
  const b = reshape(graph, arrangeFull(graph, lengths, right, [...batch, reduced, ...columns]), [batches, k, n]);
  return graph.node("MatMul", [a, b], OnnxType.float64, [batches, m, n]);
}

/** `arrange`, with an operand that does not move along the reduced axis repeated over it. */
function arrangeFull(
  graph: GraphBuilder,
  lengths: readonly number[],
  view: View,
  dimensions: readonly number[],
): Value {
  return expand(
    graph,
    arrange(graph, view, dimensions),
    dimensions.map((d) => lengths[d]!),
  );
}

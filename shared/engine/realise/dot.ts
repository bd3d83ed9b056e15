/**
 * Dot (docs/numerics.md, section 2.4). The sum is exact, so how it is computed is the engine's business: one float64 matrix product of quantised
 * operands, or products of their digits (`digitProducts.ts`).
 */

import { OnnxType } from "../../onnx/model.ts";
import type { DotOperator } from "../../program/descriptor.ts";
import type { DotRealisation } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import { digits32Product, fitsInt8, int8Product } from "./digitProducts.ts";
import { DOT_WIDTH } from "./digits.ts";
import { arrangeFull, type DotLayout, layoutOf, type Side, sizeOf } from "./dotLayout.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { integer } from "./graph.ts";
import { cast, expand, reshape } from "./nodes.ts";
import { asDigits, asFloat64, quantise } from "./quantise.ts";
import { spreadProduct } from "./spread.ts";
import { arrange } from "./views.ts";

/** A realisation that does not reach as far as the operator needs (length, scales) gives way to float64. */
export function realiseDot(context: Context, operator: DotOperator, realisation: DotRealisation): Value {
  const { graph } = context;
  const { shape, length, bits } = operator;
  const [a, b, peakA, peakB] = operator.operands;
  const lengths = [...shape, length];
  const chosen = reaches(operator, realisation) ? realisation : "float64";
  const spread = chosen === "float64" ? spreadProduct(context, operator) : null;
  if (spread !== null) return spread;
  const form = chosen === "float64" ? asFloat64 : asDigits(DOT_WIDTH);
  const left = quantise(context, a, peakA, lengths, bits, form);
  const right = quantise(context, b, peakB, lengths, bits, form);
  const layout = layoutOf(lengths, left, right);
  const product = PRODUCTS[chosen](graph, layout, bits);

  const order = [...layout.batch, ...layout.first.dimensions, ...layout.second.dimensions];
  const value = reshape(
    graph,
    product,
    order.map((d) => shape[d]!),
  );
  const dimensions = shape.map((_, d) => d);
  return expand(graph, arrange(graph, { value, order }, dimensions), shape);
}

const PRODUCTS: Readonly<Record<DotRealisation, (graph: GraphBuilder, layout: DotLayout, bits: number) => Value>> = {
  float64: (graph, layout) => {
    const product = layout.batch.length === 0 ? matrixProduct(graph, layout) : batchedProduct(graph, layout);
    return cast(graph, product, OnnxType.float32);
  },
  digits32: digits32Product,
  int8: int8Product,
};

function reaches(operator: DotOperator, realisation: DotRealisation): boolean {
  return realisation !== "int8" || fitsInt8(operator);
}

function matrixProduct(graph: GraphBuilder, { lengths, first, second }: DotLayout): Value {
  const a = matrix(graph, lengths, first);
  const b = matrix(graph, lengths, second);
  const shape = [sizeOf(lengths, first.dimensions), sizeOf(lengths, second.dimensions)];
  return graph.node("Gemm", [a.value, b.value], OnnxType.float64, shape, {
    transA: integer(a.reducedFirst ? 1 : 0),
    transB: integer(b.reducedFirst ? 0 : 1),
  });
}

/** The view as a matrix of the kept dimensions and the reduced axis, in whichever of both orders it lies in memory. */
function matrix(
  graph: GraphBuilder,
  lengths: readonly number[],
  { quantised, dimensions: kept }: Side,
): { value: Value; reducedFirst: boolean } {
  const view = quantised.views[0]!;
  const reduced = lengths.length - 1;
  const reducedFirst = view.order[0] === reduced;
  const value = arrangeFull(graph, lengths, view, reducedFirst ? [reduced, ...kept] : [...kept, reduced]);
  const [keptSize, reducedSize] = [sizeOf(lengths, kept), lengths[reduced]!];
  return {
    value: reshape(graph, value, reducedFirst ? [reducedSize, keptSize] : [keptSize, reducedSize]),
    reducedFirst,
  };
}

function batchedProduct(graph: GraphBuilder, { lengths, batch, first, second }: DotLayout): Value {
  const reduced = lengths.length - 1;
  const [rows, columns] = [first.dimensions, second.dimensions];
  const [batches, m, n, k] = [
    sizeOf(lengths, batch),
    sizeOf(lengths, rows),
    sizeOf(lengths, columns),
    lengths[reduced]!,
  ];
  const a = arrangeFull(graph, lengths, first.quantised.views[0]!, [...batch, ...rows, reduced]);
  const b = arrangeFull(graph, lengths, second.quantised.views[0]!, [...batch, reduced, ...columns]);
  const matrices = [reshape(graph, a, [batches, m, k]), reshape(graph, b, [batches, k, n])];
  return graph.node("MatMul", matrices, OnnxType.float64, [batches, m, n]);
}

/**
 * MatMul: out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n], one Dot on the integer grids of both whole tensors.
 * Gradients: da = g · bᵀ, db = aᵀ · g; the transposes are strides, the peaks are those of the forward pass.
 */

import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import type { Lowering } from "../graph/lower.ts";
import { ceilLog2 } from "../numerics/log2.ts";
import { Dtype, sameShape, wordCount } from "../program/descriptor.ts";
import { operandOf, type View } from "../program/view.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { stretch } from "./stretch.ts";
import { swappedMatrix, transposeMatrix } from "./transpose.ts";

/** Bits a side of the grid; fewer when the reduced axis is so long that the sum would not be exact in 53 bits. */
const BITS = 20;

export function gridBits(length: number): number {
  return Math.min(BITS, Math.floor((53 - ceilLog2(length)) / 2));
}

/** Powers of two that bound the factors by construction; a factor without one is measured. */
export interface ProductBounds {
  readonly left?: number;
  readonly right?: number;
}

/** a [batch…, M, K] times b [batch…, K, N], with the same batch dimensions. */
export function matmul(graph: SourceGraph, a: ValueId, b: ValueId, name: string, bounds: ProductBounds = {}): ValueId {
  const batch = graph.shape(a).slice(0, -2);
  const [rows, length] = graph.shape(a).slice(-2) as [number, number];
  const [lengthB, columns] = graph.shape(b).slice(-2) as [number, number];
  if (length !== lengthB || !sameShape(batch, graph.shape(b).slice(0, -2))) {
    throw new RangeError(`[${graph.shape(a)}] and [${graph.shape(b)}] cannot be multiplied`);
  }
  const shape = [...batch, rows, columns];
  return graph.add({
    name,
    layer: "matmul",
    inputs: [a, b],
    dtype: Dtype.float32,
    shape,
    gradient: (upstream) => [
      productGradient(graph, a, upstream!, transposeMatrix(graph, b)),
      productGradient(graph, b, transposeMatrix(graph, a), upstream!),
    ],
    lower: (lowering) => {
      const left = lowering.view(a);
      const right = lowering.view(b);
      const [rowStride, leftStride] = left.strides.slice(-2) as [number, number];
      const [rightStride, columnStride] = right.strides.slice(-2) as [number, number];
      const noStrides = new Array<number>(shape.length + 1).fill(0);
      return lowering.emit(name, {
        family: "dot",
        dtype: Dtype.float32,
        shape,
        length,
        bits: gridBits(length),
        operands: [
          operandOf(left, [...left.strides.slice(0, -2), rowStride, 0, leftStride]),
          operandOf(right, [...right.strides.slice(0, -2), 0, columnStride, rightStride]),
          operandOf(peakOf(lowering, left, bounds.left), noStrides),
          operandOf(peakOf(lowering, right, bounds.right), noStrides),
        ],
      });
    },
  });
}

/** The measured peak of a view's tensor, or the bound that it has by construction. */
function peakOf(lowering: Lowering, view: View, bound?: number): View {
  if (bound === undefined) return lowering.peak(view);
  const words = new Uint32Array(Float32Array.of(bound).buffer);
  return lowering.constant({ dtype: Dtype.float32, shape: [1], words });
}

/**
 * The gradient left · right of a factor. Where the factor is a transposed tensor, the product is formed transposed too, so that the
 * gradient lies in memory as the tensor does (a Linear layer's weight [out, in]) and the optimizer reads both in order.
 */
function productGradient(graph: SourceGraph, factor: ValueId, left: ValueId, right: ValueId): Contribution {
  const name = `${graph.name(factor)}.grad`;
  const original = swappedMatrix(graph, factor);
  if (original === null) return [factor, matmul(graph, left, right, name)];
  return [original, matmul(graph, transposeMatrix(graph, right), transposeMatrix(graph, left), name)];
}

/** A product as numpy has it: batch axes broadcast, a vector is a row on the left and a column on the right. */
function product(graph: SourceGraph, a: ValueId, b: ValueId, batch: readonly number[], name: string): ValueId {
  const [left, right] = [graph.shape(a), graph.shape(b)];
  // A matrix applied to every position is one product over all of them.
  if (right.length === 2) {
    const flat = reshape(graph, a, [wordCount(left.slice(0, -1)), left.at(-1)!]);
    return reshape(graph, matmul(graph, flat, b, name), [...left.slice(0, -1), right[1]!]);
  }
  const [x, y] = [a, b].map((value) => stretch(graph, value, [...batch, ...graph.shape(value).slice(-2)]));
  return matmul(graph, x!, y!, name);
}

export const importMatMul: Importer = (context) => {
  const { graph } = context;
  const [a, b] = [context.tensor(0), context.tensor(1)];
  const [left, right] = [graph.shape(a), graph.shape(b)];
  const [rows, columns] = [left.length === 1 ? [1, ...left] : left, right.length === 1 ? [...right, 1] : right];
  const batch = broadcastShape(rows.slice(0, -2), columns.slice(0, -2));
  if (left.length === 0 || right.length === 0 || rows.at(-1) !== columns.at(-2) || batch === null) {
    throw context.error(`[${left}] and [${right}] cannot be multiplied`, "They must be matrices that fit.");
  }
  const name = `${layerName(graph, b)}.dot`;
  const value = product(graph, reshape(graph, a, rows), reshape(graph, b, columns), batch, name);
  const kept = [...(left.length === 1 ? [] : [rows.at(-2)!]), ...(right.length === 1 ? [] : [columns.at(-1)!])];
  return reshape(graph, value, [...batch, ...kept]);
};

/**
 * MatMul: out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n], one Dot on the integer grids of both whole tensors.
 * Gradients: da = g · bᵀ, db = aᵀ · g; the transposes are strides, the peaks are those of the forward pass.
 */
import { Dtype, wordCount } from "../program/descriptor.ts";
import type { Contribution, SourceGraph, ValueId } from "../program/graph.ts";
import { sameShape } from "../program/graph.ts";
import { operandOf } from "../program/view.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { swappedMatrix, transposeMatrix } from "./transpose.ts";

/** Bits a side of the grid; fewer when the reduced axis is so long that the sum would not be exact in 53 bits. */
const BITS = 20;

export function gridBits(length: number): number {
  return Math.min(BITS, Math.floor((53 - Math.ceil(Math.log2(length))) / 2));
}

/** a [batch…, M, K] times b [batch…, K, N], with the same batch dimensions. */
export function matmul(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId {
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
          operandOf(lowering.peak(left), noStrides),
          operandOf(lowering.peak(right), noStrides),
        ],
      });
    },
  });
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

export const importMatMul: Importer = (context) => {
  const { graph } = context;
  const a = context.tensor(0);
  const b = context.tensor(1);
  const left = graph.shape(a);
  const right = graph.shape(b);
  if (left.length < 2 || right.length < 2 || left.at(-1) !== right.at(-2)) {
    throw context.error(`[${left}] and [${right}] cannot be multiplied`, "Both must be matrices that fit.");
  }
  const name = `${layerName(graph, b)}.dot`;
  // A matrix applied to every position is one product over all of them.
  if (right.length === 2) {
    const flat = reshape(graph, a, [wordCount(left.slice(0, -1)), left.at(-1)!]);
    return reshape(graph, matmul(graph, flat, b, name), [...left.slice(0, -1), right[1]!]);
  }
  if (!sameShape(left.slice(0, -2), right.slice(0, -2))) {
    throw context.error(`[${left}] and [${right}] differ in their batch axes`, "Expand them to one shape first.");
  }
  return matmul(graph, a, b, name);
};

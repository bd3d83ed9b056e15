/** Reductions and products of known numbers, in binary64 until the end. */

import { broadcastShape } from "../../graph/graph.ts";
import { hostTensor } from "../../onnx/host.ts";
import { broadcastPosition, fill, stridesOf } from "../../onnx/indexed.ts";
import { wordCount } from "../../program/descriptor.ts";
import type { Fold } from "./rule.ts";

function reduction(start: number, rule: (sum: number, value: number) => number, isMean = false): Fold {
  return (context, [input]) => {
    const { type, dimensions, values } = input!;
    const named = context.integers(1, "axes") ?? [];
    if (named.length === 0 && context.integer("noop_with_empty_axes", 0) === 1) return input!;
    const axes =
      named.length === 0 ? [...dimensions.keys()] : named.map((axis) => context.axis(axis, dimensions.length));
    const kept = dimensions.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const results = new Float64Array(wordCount(kept)).fill(start);
    fill(dimensions, (index, at) => {
      const target = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
      results[target] = rule(results[target]!, values[at]!);
      return 0;
    });
    const count = values.length / results.length;
    const shape = context.integer("keepdims", 1) === 1 ? kept : dimensions.filter((_, axis) => !axes.includes(axis));
    return hostTensor(type, shape, isMean ? results.map((sum) => sum / count) : results);
  };
}

const cumulativeSum: Fold = (context, [input, axisInput]) => {
  const { type, dimensions, values } = input!;
  const axis = context.axis(axisInput!.values[0]!, dimensions.length);
  const [isExclusive, isReverse] = [context.integer("exclusive", 0) === 1, context.integer("reverse", 0) === 1];
  const stride = stridesOf(dimensions)[axis]!;
  const extent = dimensions[axis]!;
  const sums = new Float64Array(values.length);
  const [first, step] = isReverse ? [extent - 1, -1] : [0, 1];
  for (let i = 0; i < values.length; i++) {
    const at = isReverse ? values.length - 1 - i : i;
    const before = at - step * stride;
    const isFirst = Math.floor(at / stride) % extent === first;
    const own = isExclusive ? before : at;
    sums[at] = isFirst ? (isExclusive ? 0 : values[at]!) : sums[before]! + values[own]!;
  }
  return hostTensor(type, dimensions, sums);
};

const matmul: Fold = (context, [a, b]) => {
  const left = a!.dimensions.length === 1 ? { ...a!, dimensions: [1, ...a!.dimensions] } : a!;
  const right = b!.dimensions.length === 1 ? { ...b!, dimensions: [...b!.dimensions, 1] } : b!;
  const [rows, length] = left.dimensions.slice(-2) as [number, number];
  const [other, columns] = right.dimensions.slice(-2) as [number, number];
  const batch = broadcastShape(left.dimensions.slice(0, -2), right.dimensions.slice(0, -2));
  if (length !== other || batch === null) {
    throw context.error(`[${a!.dimensions}] and [${b!.dimensions}] cannot be multiplied`, "Correct the shapes.");
  }
  const matrices = (tensor: typeof left) =>
    broadcastPosition({ ...tensor, dimensions: tensor.dimensions.slice(0, -2) }, batch.length);
  const [leftOf, rightOf] = [matrices(left), matrices(right)];
  const shape = [...batch, rows, columns];
  const values = fill(shape, (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    const [m, n] = [leftOf(index) * rows * length, rightOf(index) * length * columns];
    let sum = 0;
    for (let k = 0; k < length; k++)
      sum += left.values[m + row * length + k]! * right.values[n + k * columns + column]!;
    return sum;
  });
  const kept = shape.filter(
    (_, axis) =>
      !(axis === shape.length - 2 && a!.dimensions.length === 1) &&
      !(axis === shape.length - 1 && b!.dimensions.length === 1),
  );
  return hostTensor(a!.type, kept, values);
};

export const REDUCTION_FOLDS: Readonly<Record<string, Fold>> = {
  CumSum: cumulativeSum,
  MatMul: matmul,
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ReduceMean: reduction(0, (sum, value) => sum + value, true),
  ReduceMin: reduction(Number.POSITIVE_INFINITY, Math.min),
  ReduceProd: reduction(1, (product, value) => product * value),
  ReduceSum: reduction(0, (sum, value) => sum + value),
};

/** The ONNX nodes that realisations use, with their shape rules. Nodes that would change nothing are left out. */

import { OnnxType } from "../../onnx/model.ts";
import { wordCount } from "../../program/descriptor.ts";
import { type GraphBuilder, integer, integers, type Value } from "./graph.ts";

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((n, d) => n === b[d]);

/** Numpy broadcasting, for shapes that are known to be compatible. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, d) =>
    shapes.reduce((most, shape) => Math.max(most, shape[d - rank + shape.length] ?? 1), 1),
  );
}

export function elementwise(
  graph: GraphBuilder,
  operator: string,
  inputs: readonly Value[],
  type: OnnxType = inputs[0]!.type,
): Value {
  return graph.node(operator, inputs, type, broadcastShape(inputs.map((input) => input.shape)));
}

export function cast(graph: GraphBuilder, value: Value, type: OnnxType): Value {
  return value.type === type ? value : graph.node("Cast", [value], type, value.shape, { to: integer(type) });
}

export function reshape(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  if (sameShape(value.shape, shape)) return value;
  const maker = graph.makerOf(value);
  if (maker?.operator === "Reshape") return reshape(graph, maker.inputs[0]!, shape);
  return graph.node("Reshape", [value, graph.integers(shape)], value.type, shape);
}

export function transpose(graph: GraphBuilder, value: Value, permutation: readonly number[]): Value {
  // Moving axes of length 1 moves no word.
  const moved = permutation.filter((d) => value.shape[d] !== 1);
  const shape = permutation.map((d) => value.shape[d]!);
  if (moved.every((d, at) => at === 0 || moved[at - 1]! < d)) return reshape(graph, value, shape);
  return graph.node("Transpose", [value], value.type, shape, { perm: integers(permutation) });
}

export function expand(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  if (wordCount(value.shape) === wordCount(shape)) return reshape(graph, value, shape);
  return graph.node("Expand", [value, graph.integers(shape)], value.type, shape);
}

/** Elements starts[d] … starts[d] + lengths[d] − 1 of every axis. */
export function slice(graph: GraphBuilder, value: Value, starts: readonly number[], lengths: readonly number[]): Value {
  const axes = starts.map((_, d) => d).filter((d) => starts[d] !== 0 || lengths[d] !== value.shape[d]);
  if (axes.length === 0) return value;
  const inputs = [
    value,
    graph.integers(axes.map((d) => starts[d]!)),
    graph.integers(axes.map((d) => starts[d]! + lengths[d]!)),
    graph.integers(axes),
  ];
  return graph.node("Slice", inputs, value.type, lengths);
}

/** Elements starts[d], starts[d] + steps[d] … before ends[d] of every axis. */
export function steppedSlice(
  graph: GraphBuilder,
  value: Value,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[],
): Value {
  const axes = starts.map((_, d) => d);
  const inputs = [value, ...[starts, ends, axes, steps].map((list) => graph.integers(list))];
  const shape = axes.map((d) => Math.ceil((ends[d]! - starts[d]!) / steps[d]!));
  return graph.node("Slice", inputs, value.type, shape);
}

/** ReduceSum or ReduceMax of everything, of shape []. */
export function reduceAll(graph: GraphBuilder, operator: "ReduceSum" | "ReduceMax", value: Value): Value {
  if (wordCount(value.shape) === 1) return reshape(graph, value, []);
  const maker = graph.makerOf(value);
  const source = maker?.operator === "Reshape" ? maker.inputs[0]! : value;
  return graph.node(operator, [source], value.type, [], { keepdims: integer(0) });
}

/** ReduceSum or ReduceMax over one axis, which disappears. */
export function reduce(graph: GraphBuilder, operator: "ReduceSum" | "ReduceMax", value: Value, axis: number): Value {
  if (value.shape.length === 1) return reduceAll(graph, operator, value);
  const shape = value.shape.filter((_, d) => d !== axis);
  return graph.node(operator, [value, graph.integers([axis])], value.type, shape, { keepdims: integer(0) });
}

const ZEROS = {
  [OnnxType.float32]: Float32Array,
  [OnnxType.float64]: Float64Array,
  [OnnxType.int32]: Int32Array,
} as const;

/** Zeros that the model need not store. */
export function zeros(graph: GraphBuilder, type: keyof typeof ZEROS, shape: readonly number[]): Value {
  const data = new ZEROS[type](1);
  return graph.node("ConstantOfShape", [graph.integers(shape)], type, shape, {
    value: { kind: "tensor", value: { name: "value", type, dimensions: [1], data } },
  });
}

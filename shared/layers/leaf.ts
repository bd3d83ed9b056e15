/** Nodes without inputs: sample fields, state tensors, constants and schedule columns. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import { Dtype } from "../program/descriptor.ts";
import type { SampleField, Tensor } from "../program/program.ts";

/** A field of the step's samples, [batch, width]. */
export function field(
  graph: SourceGraph,
  field: SampleField,
  batch: number,
  order: SampleOrder = "replacement",
): ValueId {
  const { name, dtype, offset, width, maximum } = field;
  const shape = [batch, width];
  return graph.add({
    name,
    layer: "field",
    inputs: [],
    dtype,
    greatest: maximum,
    shape,
    lower: (lowering) => lowering.emit(name, { family: "batch", dtype, shape, order, offset, operands: [] }),
  });
}

/** A float32 state tensor as it is before the step. */
export function state(graph: SourceGraph, name: string, shape: readonly number[]): ValueId {
  const id: ValueId = graph.add({
    name,
    layer: "state",
    inputs: [],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => lowering.state(id),
  });
  return id;
}

export function constant(graph: SourceGraph, name: string, tensor: Tensor): ValueId {
  const { dtype, shape, words } = tensor;
  const numbers =
    dtype === Dtype.int32
      ? new Int32Array(words.buffer, words.byteOffset, words.length)
      : new Float32Array(words.buffer, words.byteOffset, words.length);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  const sign = least > 0 ? 1 : most < 0 ? -1 : null;
  return graph.add({
    name,
    layer: "constant",
    inputs: [],
    dtype,
    ...(dtype === Dtype.int32 ? { greatest: most } : { bound: Math.max(-least, most) }),
    ...(dtype === Dtype.float32 && sign !== null ? { sign } : {}),
    shape,
    ...(least === most ? { expression: (map) => map.immediate(least) } : {}),
    lower: (lowering) => lowering.constant(tensor),
  });
}

/** A column of the schedule table at this step, [1]. */
export function scheduleColumn(graph: SourceGraph, name: string, column: number): ValueId {
  return graph.add({
    name,
    layer: "schedule",
    inputs: [],
    dtype: Dtype.float32,
    shape: [1],
    lower: (lowering) =>
      lowering.emit(name, { family: "schedule", dtype: Dtype.float32, shape: [1], column, operands: [] }),
  });
}

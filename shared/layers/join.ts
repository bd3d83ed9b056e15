/**
 * Join: tensors side by side along one axis, with zeros where there is none. Concatenation, zero padding, and with Reshape the spreading of
 * elements. Gradient: the slice of each part.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { Lowering } from "../graph/lower.ts";
import { hostTensor } from "../onnx/host.ts";
import { Dtype, type JoinRange, sameShape } from "../program/descriptor.ts";
import { MAX_JOIN_OPERANDS } from "../program/encoding.ts";
import { operandOf, type View } from "../program/view.ts";
import type { Importer } from "./importer.ts";
import { isHost } from "./importer.ts";
import { slice } from "./slice.ts";

/** A tensor and its first position along the axis. */
export interface JoinPart {
  readonly value: ValueId;
  readonly start: number;
}

/**
 * Any number of parts of one dtype, of equal shapes but for the axis, in ascending order; the axis of the result has `extent` positions.
 * @throws RangeError when the parts do not fit.
 */
export function join(
  graph: SourceGraph,
  parts: readonly JoinPart[],
  axis: number,
  extent: number,
  name: string,
): ValueId {
  const nodes = parts.map(({ value }) => graph.node(value));
  const { dtype } = nodes[0]!;
  const shape = nodes[0]!.shape.with(axis, extent);
  let end = 0;
  for (const [at, { start }] of parts.entries()) {
    const part = nodes[at]!;
    if (part.dtype !== dtype || !sameShape(part.shape.with(axis, extent), shape) || start < end) {
      throw new RangeError(`[${part.shape}] at ${start} does not fit into [${shape}] behind ${end}`);
    }
    end = start + part.shape[axis]!;
  }
  if (end > extent) throw new RangeError(`the parts end at ${end}, past ${extent}`);
  if (parts.length === 1 && nodes[0]!.shape[axis] === extent) return parts[0]!.value;
  const greatest = nodes.every((node) => node.greatest !== undefined)
    ? { greatest: Math.max(...nodes.map((node) => node.greatest!)) }
    : {};
  const gradient: ReturnType<typeof sliceGradient> = sliceGradient(graph, parts, axis);
  return graph.add({
    name,
    layer: "join",
    inputs: parts.map(({ value }) => value),
    joined: { axis, starts: parts.map(({ start }) => start) },
    dtype,
    shape,
    ...greatest,
    ...(dtype === Dtype.float32 ? { gradient } : {}),
    lower: (lowering) =>
      emitJoin(
        lowering,
        name,
        parts.map(({ value, start }) => ({ view: lowering.view(value), start })),
        axis,
        extent,
      ),
  });
}

function sliceGradient(graph: SourceGraph, parts: readonly JoinPart[], axis: number) {
  return (upstream: ValueId | null): [ValueId, ValueId][] =>
    parts.map(({ value, start }) => [
      value,
      slice(graph, upstream!, axis, start, graph.shape(value)[axis]!, 1, `${graph.name(value)}.grad`),
    ]);
}

/** One Join, or Joins of Joins where there are more parts than one takes. */
function emitJoin(
  lowering: Lowering,
  name: string,
  parts: readonly { readonly view: View; readonly start: number }[],
  axis: number,
  extent: number,
): View {
  if (parts.length > MAX_JOIN_OPERANDS) {
    const groups = Array.from({ length: Math.ceil(parts.length / MAX_JOIN_OPERANDS) }, (_, group) => {
      const members = parts.slice(group * MAX_JOIN_OPERANDS, (group + 1) * MAX_JOIN_OPERANDS);
      if (members.length === 1) return members[0]!;
      const { start } = members[0]!;
      const last = members.at(-1)!;
      const shifted = members.map((part) => ({ ...part, start: part.start - start }));
      const view = emitJoin(lowering, `${name}.part`, shifted, axis, last.start + last.view.shape[axis]! - start);
      return { view, start };
    });
    return emitJoin(lowering, name, groups, axis, extent);
  }
  const { dtype, shape } = parts[0]!.view;
  return lowering.emit(name, {
    family: "join",
    dtype,
    shape: shape.with(axis, extent),
    axis,
    operands: parts.map(({ view }) => operandOf(view, view.strides)),
    ranges: parts.map(({ view, start }): JoinRange => ({ start, extent: view.shape[axis]! })),
  });
}

/**
 * The sum of two joins as one join, where no position is taken in both: the gradients of the parts of a split tensor. null where there is
 * no such join.
 */
export function joinSum(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId | null {
  const [left, right] = [graph.node(a), graph.node(b)];
  if (left.joined === undefined || right.joined === undefined || left.joined.axis !== right.joined.axis) return null;
  if (left.dtype !== right.dtype || !sameShape(left.shape, right.shape)) return null;
  const { axis } = left.joined;
  const parts = [left, right]
    .flatMap(({ inputs, joined }) => inputs.map((value, at): JoinPart => ({ value, start: joined!.starts[at]! })))
    .sort((x, y) => x.start - y.start);
  const overlaps = parts.some(({ start }, at) => {
    const before = parts[at - 1];
    return before !== undefined && before.start + graph.shape(before.value)[axis]! > start;
  });
  return overlaps ? null : join(graph, parts, axis, left.shape[axis]!, name);
}

/** Tensors one behind the other. @throws RangeError as `join`. */
export function concat(graph: SourceGraph, values: readonly ValueId[], axis: number, name: string): ValueId {
  let extent = 0;
  const parts = values.map((value): JoinPart => {
    const start = extent;
    extent += graph.shape(value)[axis]!;
    return { value, start };
  });
  return join(graph, parts, axis, extent, name);
}

export const importConcat: Importer = (context) => {
  const { graph } = context;
  const inputs = Array.from({ length: context.inputCount }, (_, index) => context.input(index));
  if (inputs.length === 0) throw context.error("it joins nothing", "Export the model again.");
  const known = inputs.filter(isHost);
  if (known.length === inputs.length && known.every(({ dimensions }) => dimensions.length === 1)) {
    const values = known.flatMap((host) => [...host.values]);
    return hostTensor(known[0]!.type, [values.length], values);
  }
  const tensors = inputs.map((_, index) => context.tensor(index, Dtype.float32, Dtype.int32));
  const [{ dtype, shape }] = [graph.node(tensors[0]!)];
  const axis = context.axis(context.integer("axis", 0), shape.length);
  for (const tensor of tensors) {
    const other = graph.node(tensor);
    if (other.dtype !== dtype || !sameShape(other.shape.with(axis, 0), shape.with(axis, 0))) {
      throw context.error(
        `[${shape}] and [${other.shape}] cannot be joined along axis ${axis}`,
        "Their types must be one, and their shapes but for that axis.",
      );
    }
  }
  return concat(graph, tensors, axis, context.name);
};

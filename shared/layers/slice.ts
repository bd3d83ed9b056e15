/** Slice: every `step`-th position of one axis, by strides alone. Gradient: the upstream gradient at those positions, zero at the others. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { hostTensor } from "../onnx/host.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { sliceView } from "../program/view.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { isHost } from "./importer.ts";
import { join } from "./join.ts";
import { reshape } from "./reshape.ts";
import { take } from "./take.ts";

/**
 * Positions start, start + step, … of an axis, `length` of them.
 * @param step at least 1; for descending positions see `take`.
 * @throws RangeError when a position is not on the axis.
 */
export function slice(
  graph: SourceGraph,
  input: ValueId,
  axis: number,
  start: number,
  length: number,
  step: number,
  name: string,
): ValueId {
  const before = graph.shape(input);
  const extent = before[axis]!;
  if (!(start >= 0 && length >= 1 && step >= 1 && start + (length - 1) * step < extent)) {
    throw new RangeError(`${length} positions from ${start} by ${step} are not all on axis ${axis} of [${before}]`);
  }
  if (length === extent) return input;
  const gradient = (upstream: ValueId | null): [ValueId, ValueId][] => {
    const of = `${graph.name(input)}.grad`;
    const spread = spreadAxis(graph, upstream!, axis, step, of);
    return [[input, join(graph, [{ value: spread, start }], axis, extent, of)]];
  };
  return graph.add({
    ...elementsOf(graph, input),
    name,
    layer: "slice",
    inputs: [input],
    shape: before.with(axis, length),
    ...(graph.node(input).dtype === Dtype.float32 ? { gradient } : {}),
    lower: (lowering) => sliceView(lowering.view(input), axis, start, length, step),
  });
}

/** `step − 1` zeros between the positions of an axis, none behind the last: 1 + (length − 1) · step positions. */
export function spreadAxis(graph: SourceGraph, input: ValueId, axis: number, step: number, name: string): ValueId {
  const shape = graph.shape(input);
  const length = shape[axis]!;
  if (step === 1 || length === 1) return input;
  const outer = wordCount(shape.slice(0, axis));
  const inner = wordCount(shape.slice(axis + 1));
  const apart = reshape(graph, input, [outer, length, 1, inner]);
  const filled = join(graph, [{ value: apart, start: 0 }], 2, step, name);
  const flat = reshape(graph, filled, [outer, length * step, inner]);
  const spread = 1 + (length - 1) * step;
  return reshape(graph, slice(graph, flat, 1, 0, spread, 1, name), shape.with(axis, spread));
}

/** Positions of an axis as ONNX names them: from start to before (by a negative step: behind) end, both possibly negative or beyond it. */
function positionsOf(context: ImportContext, extent: number, start: number, end: number, step: number): number[] {
  if (step === 0) throw context.error("its step is 0", "Correct the model.");
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1];
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + extent : at, least), most);
  const first = step > 0 ? clamp(start) : Math.max(clamp(start), 0);
  const length = Math.ceil((clamp(end) - first) / step);
  if (!(length >= 1)) throw context.error(`it takes no position of an axis of ${extent}`, "Leave empty tensors out.");
  return Array.from({ length }, (_, i) => first + i * step);
}

export const importSlice: Importer = (context) => {
  const starts = context.integers(1, "starts");
  const ends = context.integers(2, "ends");
  if (starts === null || ends === null) throw context.error("it names no starts or ends", "Export with static shapes.");
  const axes = context.integers(3, "axes") ?? starts.map((_, at) => at);
  const steps = context.integers(4, "steps") ?? starts.map(() => 1);
  const input = context.input(0);
  if (isHost(input) && input.dimensions.length === 1) {
    const kept = positionsOf(context, input.values.length, starts[0]!, ends[0]!, steps[0]!);
    return hostTensor(
      input.type,
      [kept.length],
      kept.map((at) => input.values[at]!),
    );
  }
  const { graph } = context;
  let sliced = context.tensor(0, Dtype.float32, Dtype.int32);
  for (const [at, named] of axes.entries()) {
    const shape = graph.shape(sliced);
    const axis = context.axis(named, shape.length);
    const step = steps[at]!;
    const positions = positionsOf(context, shape[axis]!, starts[at]!, ends[at]!, step);
    sliced =
      step > 0
        ? slice(graph, sliced, axis, positions[0]!, positions.length, step, context.name)
        : take(graph, sliced, axis, positions, context.name);
  }
  return sliced;
};

export const importSplit: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const shape = graph.shape(input);
  const axis = context.axis(context.integer("axis", 0), shape.length);
  const extent = shape[axis]!;
  const parts = context.integer("num_outputs", context.outputCount);
  const size = Math.ceil(extent / parts);
  const sizes =
    context.integers(1, "split") ?? Array.from({ length: parts }, (_, part) => Math.min(size, extent - part * size));
  if (!sizes.every((each) => each >= 1) || sizes.reduce((sum, each) => sum + each, 0) !== extent) {
    throw context.error(`[${sizes}] are not the parts of an axis of ${extent}`, "Correct the sizes.");
  }
  let end = 0;
  return sizes.map((length, part) => {
    const start = end;
    end += length;
    return slice(graph, input, axis, start, length, 1, `${context.name}.${part}`);
  });
};

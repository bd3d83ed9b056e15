/** Operators that make, move or pick known numbers. */

import { broadcastShape } from "../../graph/graph.ts";
import type { HostTensor } from "../../onnx/host.ts";
import { hostIntegers, hostTensor } from "../../onnx/host.ts";
import { broadcastPosition, fill, requireElements, stridesOf } from "../../onnx/indexed.ts";
import { OnnxType } from "../../onnx/model.ts";
import { heldType } from "../../onnx/widen.ts";
import { wordCount } from "../../program/descriptor.ts";
import type { Fold } from "./rule.ts";

const cast: Fold = (context, [input]) => {
  const to = context.integer("to", 0);
  const type = heldType(to);
  if (type === null) throw context.error(`a cast to element type ${to}`, "Cast to a type of numbers.");
  return hostTensor(type, input!.dimensions, input!.values);
};

function reshaped({ type, values }: HostTensor, dimensions: readonly number[]): HostTensor {
  return { type, dimensions, values };
}

const reshape: Fold = (context, [input, shape]) => {
  const before = input!.dimensions;
  const wanted = shape === undefined || shape === null ? context.integers(null, "shape") : [...shape.values];
  if (wanted === null) throw context.error("it names no shape", "Export with a static shape.");
  const keepZero = context.integer("allowzero", 0) === 1;
  const dimensions = wanted.map((dimension, axis) => (dimension === 0 && !keepZero ? (before[axis] ?? 0) : dimension));
  const open = dimensions.indexOf(-1);
  if (open >= 0) dimensions[open] = input!.values.length / wordCount(dimensions.toSpliced(open, 1));
  if (wordCount(dimensions) !== input!.values.length) {
    throw context.error(`[${before}] cannot be reshaped to [${wanted}]`, "Export with the task's batch size.");
  }
  return reshaped(input!, dimensions);
};

const transpose: Fold = (context, [input]) => {
  const { dimensions, values, type } = input!;
  const permutation = context.integers(null, "perm") ?? [...dimensions.keys()].reverse();
  const strides = stridesOf(dimensions);
  const shape = permutation.map((axis) => dimensions[axis]!);
  return hostTensor(
    type,
    shape,
    fill(shape, (index) => values[permutation.reduce((at, axis, d) => at + strides[axis]! * index[d]!, 0)]!),
  );
};

const concat: Fold = (context, inputs) => {
  const parts = inputs.filter((input) => input !== null);
  const [first] = parts as [HostTensor];
  const axis = context.axis(context.integer("axis", 0), first.dimensions.length);
  const length = parts.reduce((sum, { dimensions }) => sum + dimensions[axis]!, 0);
  const shape = first.dimensions.with(axis, length);
  if (parts.some(({ dimensions }) => `${dimensions.with(axis, length)}` !== `${shape}`)) {
    throw context.error(
      `its parts differ: ${parts.map(({ dimensions }) => `[${dimensions}]`).join(" ")}`,
      "Correct them.",
    );
  }
  const outer = wordCount(shape.slice(0, axis));
  const values = new Float64Array(requireElements(shape));
  let at = 0;
  for (let row = 0; row < outer; row++) {
    for (const part of parts) {
      const width = part.values.length / outer;
      values.set(part.values.subarray(row * width, (row + 1) * width), at);
      at += width;
    }
  }
  return { type: first.type, dimensions: shape, values };
};

/** Positions of an axis that a slice takes, by the rules of ONNX (and Python): bounds are clipped, negative ones count from the end. */
function slicePositions(length: number, start: number, end: number, step: number): number[] {
  const bound = (value: number, least: number, most: number): number =>
    Math.min(Math.max(value < 0 ? value + length : value, least), most);
  const positions: number[] = [];
  if (step > 0) {
    for (let at = bound(start, 0, length); at < bound(end, 0, length); at += step) positions.push(at);
  } else {
    for (let at = bound(start, 0, length - 1); at > bound(end, -1, length - 1); at += step) positions.push(at);
  }
  return positions;
}

/** The elements at chosen positions of each axis. */
function picked({ type, dimensions, values }: HostTensor, positions: readonly (readonly number[])[]): HostTensor {
  const strides = stridesOf(dimensions);
  const shape = positions.map(({ length }) => length);
  return hostTensor(
    type,
    shape,
    fill(
      shape,
      (index) => values[positions.reduce((at, taken, axis) => at + taken[index[axis]!]! * strides[axis]!, 0)]!,
    ),
  );
}

const everywhere = (dimensions: readonly number[]): number[][] => dimensions.map((length) => [...Array(length).keys()]);

const slice: Fold = (context, [input]) => {
  const { dimensions } = input!;
  const [starts, ends] = [context.integers(1, "starts"), context.integers(2, "ends")];
  if (starts === null || ends === null) throw context.error("it names no bounds", "Export with constant bounds.");
  const axes = context.integers(3, "axes") ?? [...starts.keys()];
  const steps = context.integers(4, "steps") ?? starts.map(() => 1);
  const positions = everywhere(dimensions);
  for (const [i, named] of axes.entries()) {
    const axis = context.axis(named, dimensions.length);
    if (steps[i] === 0) throw context.error("it has a step of 0", "Correct the model.");
    positions[axis] = slicePositions(dimensions[axis]!, starts[i]!, ends[i]!, steps[i]!);
  }
  return picked(input!, positions);
};

const split: Fold = (context, [input]) => {
  const { dimensions } = input!;
  const axis = context.axis(context.integer("axis", 0), dimensions.length);
  const extent = dimensions[axis]!;
  const given = context.integers(1, "split");
  const count = given?.length ?? context.integer("num_outputs", context.outputCount);
  requireElements([count]);
  const part = Math.ceil(extent / count);
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.min(part, extent - i * part));
  if (sizes.some((size) => !(size >= 0)) || sizes.reduce((sum, size) => sum + size, 0) !== extent) {
    throw context.error(`it splits ${extent} into [${sizes}]`, "Correct the sizes.");
  }
  let start = 0;
  return sizes.map((size) => {
    const positions = everywhere(dimensions).with(
      axis,
      Array.from({ length: size }, (_, i) => start + i),
    );
    start += size;
    return picked(input!, positions);
  });
};

const gather: Fold = (context, [input, indices]) => {
  const { type, dimensions, values } = input!;
  const axis = context.axis(context.integer("axis", 0), dimensions.length);
  const chosen = indices!.values.map((value) => context.axis(value, dimensions[axis]!));
  const shape = [...dimensions.slice(0, axis), ...indices!.dimensions, ...dimensions.slice(axis + 1)];
  const inner = wordCount(dimensions.slice(axis + 1));
  const block = inner * dimensions[axis]!;
  return hostTensor(
    type,
    shape,
    fill(shape, (_, at) => {
      const row = Math.floor(at / inner);
      const outer = Math.floor(row / chosen.length);
      return values[outer * block + chosen[row % chosen.length]! * inner + (at % inner)]!;
    }),
  );
};

const gatherElements: Fold = (context, [input, indices]) => {
  const { type, dimensions, values } = input!;
  const axis = context.axis(context.integer("axis", 0), dimensions.length);
  const strides = stridesOf(dimensions);
  return hostTensor(
    type,
    indices!.dimensions,
    fill(indices!.dimensions, (index, at) => {
      const chosen = context.axis(indices!.values[at]!, dimensions[axis]!);
      return values[index.reduce((sum, i, d) => sum + (d === axis ? chosen : i) * strides[d]!, 0)]!;
    }),
  );
};

const expand: Fold = (context, [input, shape]) => {
  const dimensions = broadcastShape(input!.dimensions, [...shape!.values]);
  if (dimensions === null) {
    throw context.error(`[${input!.dimensions}] does not expand to [${shape!.values}]`, "Correct the shape.");
  }
  const position = broadcastPosition(input!, dimensions.length);
  return hostTensor(
    input!.type,
    dimensions,
    fill(dimensions, (index) => input!.values[position(index)]!),
  );
};

const tile: Fold = (_, [input, repeats]) => {
  const { dimensions } = input!;
  const shape = dimensions.map((length, axis) => length * repeats!.values[axis]!);
  requireElements(shape);
  return picked(
    input!,
    shape.map((extent, axis) => Array.from({ length: extent }, (_, i) => i % dimensions[axis]!)),
  );
};

const squeeze: Fold = (context, [input]) => {
  const { dimensions } = input!;
  const axes = context.integers(1, "axes")?.map((axis) => context.axis(axis, dimensions.length));
  return reshaped(
    input!,
    dimensions.filter((length, axis) => (axes === undefined ? length !== 1 : !axes.includes(axis))),
  );
};

const unsqueeze: Fold = (context, [input]) => {
  const axes = context.integers(1, "axes") ?? [];
  const rank = input!.dimensions.length + axes.length;
  const added = new Set(axes.map((axis) => context.axis(axis, rank)));
  const rest = input!.dimensions.values();
  return reshaped(
    input!,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value as number))),
  );
};

const flatten: Fold = (context, [input]) => {
  const { dimensions } = input!;
  const named = context.integer("axis", 1);
  const axis = named === dimensions.length ? named : context.axis(named, dimensions.length);
  return reshaped(input!, [wordCount(dimensions.slice(0, axis)), wordCount(dimensions.slice(axis))]);
};

const constantOfShape: Fold = (context, [shape]) => {
  const value = context.constantTensor("value") ?? hostTensor(OnnxType.float32, [1], [0]);
  const dimensions = [...shape!.values];
  return hostTensor(value.type, dimensions, new Float64Array(requireElements(dimensions)).fill(value.values[0]!));
};

const range: Fold = (context, [start, limit, delta]) => {
  const [from, to, by] = [start!.values[0]!, limit!.values[0]!, delta!.values[0]!];
  const count = Math.max(Math.ceil((to - from) / by), 0);
  if (!Number.isFinite(count)) throw context.error(`it counts from ${from} to ${to} by ${by}`, "Correct the step.");
  requireElements([count]);
  return hostTensor(
    start!.type,
    [count],
    Array.from({ length: count }, (_, i) => from + i * by),
  );
};

const trilu: Fold = (context, [input, diagonal]) => {
  const { type, dimensions, values } = input!;
  const [isUpper, k] = [context.integer("upper", 1) === 1, diagonal?.values[0] ?? 0];
  return hostTensor(
    type,
    dimensions,
    fill(dimensions, (index, at) => {
      const above = index.at(-1)! - index.at(-2)!;
      return (isUpper ? above >= k : above <= k) ? values[at]! : 0;
    }),
  );
};

const eyeLike: Fold = (context, [input]) => {
  const type = heldType(context.integer("dtype", input!.type));
  const k = context.integer("k", 0);
  if (type === null) throw context.error("its dtype is no type of numbers", "Correct the model.");
  return hostTensor(
    type,
    input!.dimensions,
    fill(input!.dimensions, ([row, column]) => (column! - row! === k ? 1 : 0)),
  );
};

const nonZero: Fold = (_, [input]) => {
  const { dimensions, values } = input!;
  const found: number[][] = [];
  fill(dimensions, (index, at) => {
    if (values[at] !== 0) found.push([...index]);
    return 0;
  });
  const coordinates = dimensions.flatMap((_, axis) => found.map((index) => index[axis]!));
  return hostTensor(OnnxType.int64, [dimensions.length, found.length], coordinates);
};

const oneHot: Fold = (context, [indices, depth, values]) => {
  const extent = depth!.values[0]!;
  const rank = indices!.dimensions.length + 1;
  const axis = context.axis(context.integer("axis", -1), rank);
  const shape = indices!.dimensions.toSpliced(axis, 0, extent);
  const strides = stridesOf(indices!.dimensions);
  const [off, on] = values!.values as unknown as [number, number];
  return hostTensor(
    values!.type,
    shape,
    fill(shape, (index) => {
      const at = index.toSpliced(axis, 1).reduce((sum, i, d) => sum + i * strides[d]!, 0);
      const hot = indices!.values[at]!;
      return (hot < 0 ? hot + extent : hot) === index[axis] ? on : off;
    }),
  );
};

const scatterND: Fold = (context, [data, indices, updates]) => {
  const { type, dimensions } = data!;
  if (context.string("reduction", "none") !== "none") throw context.error("it has a reduction", "Use Add.");
  const depth = indices!.dimensions.at(-1)!;
  const strides = stridesOf(dimensions);
  const width = wordCount(dimensions.slice(depth));
  const values = data!.values.slice();
  for (let row = 0; row * depth < indices!.values.length; row++) {
    let at = 0;
    for (let d = 0; d < depth; d++) {
      at += context.axis(indices!.values[row * depth + d]!, dimensions[d]!) * strides[d]!;
    }
    values.set(updates!.values.subarray(row * width, (row + 1) * width), at);
  }
  return { type, dimensions, values };
};

const shape: Fold = (context, [input]) => {
  const { dimensions } = input!;
  return hostIntegers(dimensions.slice(context.integer("start", 0), context.integer("end", dimensions.length)));
};

export const MOVEMENT_FOLDS: Readonly<Record<string, Fold>> = {
  Cast: cast,
  CastLike: (_, [input, like]) => hostTensor(like!.type, input!.dimensions, input!.values),
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  EyeLike: eyeLike,
  Flatten: flatten,
  Gather: gather,
  GatherElements: gatherElements,
  Identity: (_, [input]) => input!,
  NonZero: nonZero,
  OneHot: oneHot,
  Range: range,
  Reshape: reshape,
  ScatterND: scatterND,
  Shape: shape,
  Size: (_, [input]) => hostTensor(OnnxType.int64, [], [input!.values.length]),
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Trilu: trilu,
  Unsqueeze: unsqueeze,
};

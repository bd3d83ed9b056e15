/**
 * The greatest (or least) element along axes, exactly: Maps that each compare up to 8 parts of the axis, so log₈ of its length of them.
 * The parts are views; where the length is no multiple, the last one overlaps its neighbour, which no maximum minds.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { Lowering } from "../graph/lower.ts";
import { MapBuilder } from "../graph/mapBuilder.ts";
import { Dtype } from "../program/descriptor.ts";
import { MAX_MAP_OPERANDS } from "../program/encoding.ts";
import { operandOf, type View } from "../program/view.ts";
import { elementwise } from "./elementwise.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

export type Extreme = "max" | "min";

/** The extreme along one axis, which stays with length 1. Nothing is differentiated through it. */
export function extremeAlong(
  graph: SourceGraph,
  input: ValueId,
  axis: number,
  name: string,
  extreme: Extreme = "max",
): ValueId {
  const shape = graph.shape(input).with(axis, 1);
  if (graph.shape(input)[axis] === 1) return input;
  return graph.add({
    name,
    layer: "extreme",
    inputs: [input],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      let view = lowering.view(input);
      while (view.shape[axis]! > 1) view = compared(lowering, view, axis, name, extreme);
      return view;
    },
  });
}

/** The parts of an axis compared with one another: an eighth of its length is left. */
function compared(lowering: Lowering, view: View, axis: number, name: string, extreme: Extreme): View {
  const length = view.shape[axis]!;
  const size = Math.ceil(length / MAX_MAP_OPERANDS);
  const shape = view.shape.with(axis, size);
  const map = new MapBuilder();
  const parts = Array.from({ length: Math.ceil(length / size) }, (_, part) => {
    const start = Math.min(part * size, length - size);
    const offset = view.offset + start * view.strides[axis]!;
    const strides = size === 1 ? view.strides.with(axis, 0) : view.strides;
    return map.operand(operandOf({ ...view, offset }, strides));
  });
  const body = map.finish(parts.reduce((a, b) => map[extreme](a, b)))!;
  return lowering.emit(name, { family: "map", dtype: Dtype.float32, shape, ...body });
}

/**
 * The extreme over several axes, which stay with length 1. Gradient: elements that tie share the upstream gradient evenly, as in
 * PyTorch's amax.
 */
export function reduceExtreme(
  graph: SourceGraph,
  input: ValueId,
  axes: readonly number[],
  name: string,
  extreme: Extreme = "max",
): ValueId {
  const value = axes.reduce((reduced, axis) => extremeAlong(graph, reduced, axis, name, extreme), input);
  if (value === input) return input;
  const output: ValueId = graph.add({
    name,
    layer: "reduceExtreme",
    inputs: [input, value],
    dtype: Dtype.float32,
    shape: graph.shape(value),
    gradient: (upstream) => {
      const ties = elementwise(graph, `${name}.ties`, "ties", [input, value], (map, [x, m]) => map.equal(x!, m!));
      let count = ties;
      for (const axis of axes) {
        const sum = sumAxes(graph, count, axis, axis + 1, `${name}.count`, { bits: COUNT_BITS, bound: COUNT_BOUND });
        count = reshape(graph, sum, graph.shape(count).with(axis, 1));
      }
      const share = elementwise(
        graph,
        `${graph.name(input)}.grad`,
        "extremeGradient",
        [ties, count, upstream!],
        (map, [tie, n, g]) => map.flush(map.mul(tie!, map.div(g!, map.max(n!, map.immediate(1))))),
      );
      return [[input, share]];
    },
    lower: (lowering) => lowering.view(value),
  });
  return output;
}

/** Numbers of elements up to 2^20 lie on this grid. */
const COUNT_BITS = 20;
const COUNT_BOUND = 2 ** 20;

/**
 * Take: positions of one axis by a list that is known when the model is read, in any order and any number; −1 gives zeros. Flips, odd
 * index maps, padding by copies. Gradient: the positions taken back, or where one is taken twice, summed by index.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { sumByIndex } from "./gather.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** @throws RangeError when a position is neither on the axis nor −1. */
export function take(
  graph: SourceGraph,
  input: ValueId,
  axis: number,
  positions: readonly number[],
  name: string,
): ValueId {
  const before = graph.shape(input);
  const rows = before[axis]!;
  if (!positions.every((position) => Number.isInteger(position) && position >= -1 && position < rows)) {
    throw new RangeError(`[${positions}] are not positions of axis ${axis} of [${before}]`);
  }
  const shape = before.with(axis, positions.length);
  const { dtype } = graph.node(input);
  const words = new Uint32Array(Int32Array.from(positions).buffer);
  const index = { dtype: Dtype.int32, shape: [positions.length], words } as const;
  const gradient = (upstream: ValueId | null): [ValueId, ValueId][] => [
    [input, takeBack(graph, upstream!, axis, positions, rows, `${graph.name(input)}.grad`)],
  ];
  return graph.add({
    ...elementsOf(graph, input),
    name,
    layer: "take",
    inputs: [input],
    shape,
    ...(dtype === Dtype.float32 ? { gradient } : {}),
    lower: (lowering) => {
      const table = lowering.view(input);
      const chosen = lowering.constant(index);
      return lowering.emit(name, {
        family: "gather",
        dtype,
        shape,
        rowStride: table.strides[axis]!,
        rows,
        operands: [
          operandOf(table, table.strides.with(axis, 0)),
          operandOf(
            chosen,
            shape.map((_, d) => (d === axis ? chosen.strides[0]! : 0)),
          ),
        ],
      });
    },
  });
}

/** The sum, at each of `rows` positions of the axis, of the gradients of those that were taken from there. */
function takeBack(
  graph: SourceGraph,
  upstream: ValueId,
  axis: number,
  positions: readonly number[],
  rows: number,
  name: string,
): ValueId {
  const taken = positions.filter((position) => position >= 0);
  if (new Set(taken).size === taken.length) {
    const back = Array.from({ length: rows }, (_, row) => positions.indexOf(row));
    return take(graph, upstream, axis, back, name);
  }
  const shape = graph.shape(upstream);
  const first = [axis, ...[...shape.keys()].filter((d) => d !== axis)];
  const moved = transpose(graph, upstream, first);
  const flat = reshape(graph, moved, [positions.length, wordCount(shape) / positions.length]);
  const words = new Uint32Array(Int32Array.from(positions).buffer);
  const index = constant(graph, `${name}.index`, { dtype: Dtype.int32, shape: [positions.length], words });
  const summed = sumByIndex(graph, flat, index, rows, name);
  const restored = reshape(
    graph,
    summed,
    first.map((d) => (d === axis ? rows : shape[d]!)),
  );
  return transpose(
    graph,
    restored,
    first.map((_, d) => first.indexOf(d)),
  );
}

/**
 * Gather along an axis; along the first one of a matrix it is an embedding, out[i…, e] = table[index[i…], e].
 * Gradient: rows of the upstream gradient summed by index (SumByIndex), exact in any order.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { reshape } from "./reshape.ts";

const BITS = 20;

export function embedding(graph: SourceGraph, table: ValueId, index: ValueId, name: string): ValueId {
  return gatherAlong(graph, table, index, 0, name);
}

/** out[a…, i…, b…] = table[a…, index[i…], b…], where the axis lies between a… and b…; an index that is not on the axis gives zeros. */
export function gatherAlong(graph: SourceGraph, table: ValueId, index: ValueId, axis: number, name: string): ValueId {
  const before = graph.shape(table);
  const positions = graph.shape(index);
  const [outer, rows, inner] = [before.slice(0, axis), before[axis]!, before.slice(axis + 1)];
  const shape = [...outer, ...positions, ...inner];
  const { dtype } = graph.node(table);
  const gradient = (upstream: ValueId | null): [ValueId, ValueId][] => [
    [table, gatherBack(graph, upstream!, index, { outer, rows, inner }, `${graph.name(table)}.grad`)],
  ];
  return graph.add({
    ...elementsOf(graph, table),
    name,
    layer: "gather",
    inputs: [table, index],
    shape,
    ...(dtype === Dtype.float32 ? { gradient } : {}),
    lower: (lowering) => {
      const source = lowering.view(table);
      const chosen = lowering.view(index);
      const none = (axes: readonly number[]) => axes.map(() => 0);
      return lowering.emit(name, {
        family: "gather",
        dtype,
        shape,
        rowStride: source.strides[axis]!,
        rows,
        operands: [
          operandOf(source, [...source.strides.slice(0, axis), ...none(positions), ...source.strides.slice(axis + 1)]),
          operandOf(chosen, [...none(outer), ...chosen.strides, ...none(inner)]),
        ],
      });
    },
  });
}

interface Gathered {
  readonly outer: readonly number[];
  readonly rows: number;
  readonly inner: readonly number[];
}

/** The gradient of `gatherAlong`: the upstream gradients of each row of the table, summed. */
function gatherBack(
  graph: SourceGraph,
  upstream: ValueId,
  index: ValueId,
  { outer, rows, inner }: Gathered,
  name: string,
): ValueId {
  const length = wordCount(graph.shape(index));
  const [before, width] = [wordCount(outer), wordCount(inner)];
  const table = [...outer, rows, ...inner];
  if (before === 1) {
    return reshape(graph, sumByIndex(graph, reshape(graph, upstream, [length, width]), index, rows, name), table);
  }
  const values = reshape(graph, upstream, [before, length, width]);
  const positions = reshape(graph, index, [length]);
  const shape = [before, rows, width];
  const sums = graph.add({
    name,
    layer: "sumByIndex",
    inputs: [values, positions],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const summed = lowering.view(values);
      const chosen = lowering.view(positions);
      return lowering.emit(name, {
        family: "sumByIndex",
        dtype: Dtype.float32,
        shape,
        length,
        bits: BITS,
        axis: 1,
        operands: [
          operandOf(summed, [summed.strides[0]!, 0, summed.strides[2]!, summed.strides[1]!]),
          operandOf(lowering.peak(summed), [0, 0, 0, 0]),
          operandOf(chosen, [0, 0, 0, chosen.strides[0]!]),
        ],
      });
    },
  });
  return reshape(graph, sums, table);
}

/** out[r, e] = Σ over the positions i with index[i] = r of x[i, e]; shape [rows, width]. An index outside the rows adds nothing. */
export function sumByIndex(graph: SourceGraph, x: ValueId, index: ValueId, rows: number, name: string): ValueId {
  const length = wordCount(graph.shape(index));
  const width = graph.shape(x).at(-1)!;
  const values = reshape(graph, x, [length, width]);
  const positions = reshape(graph, index, [length]);
  return graph.add({
    name,
    layer: "sumByIndex",
    inputs: [values, positions],
    dtype: Dtype.float32,
    shape: [rows, width],
    lower: (lowering) => {
      const summed = lowering.view(values);
      const chosen = lowering.view(positions);
      return lowering.emit(name, {
        family: "sumByIndex",
        dtype: Dtype.float32,
        shape: [rows, width],
        length,
        bits: BITS,
        axis: 0,
        operands: [
          operandOf(summed, [0, summed.strides[1]!, summed.strides[0]!]),
          operandOf(lowering.peak(summed), [0, 0, 0]),
          operandOf(chosen, [0, 0, chosen.strides[0]!]),
        ],
      });
    },
  });
}

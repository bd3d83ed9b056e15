/** Rows of a tensor picked by a table that is written into the program: windows of an image, padding, flipping. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";

/** Positions of rows, row-major in `shape`; −1 stands for a row of zeros. */
export interface RowTable {
  readonly shape: readonly number[];
  readonly positions: Int32Array;
}

/**
 * out[a, …t, b] = x[a, table[t], b], zero where the table says −1; x is [A, rows, B], the result [A, …table.shape, B]. It has no gradient of
 * its own: layers that use it know a better one. A table that moves nothing costs nothing.
 */
export function takeRows(graph: SourceGraph, x: ValueId, table: RowTable, name: string): ValueId {
  const [outer, rows, inner] = graph.shape(x) as [number, number, number];
  const shape = [outer, ...table.shape, inner];
  if (table.positions.length !== wordCount(table.shape)) throw new RangeError(`${name}: the table has another size`);
  if (table.positions.length === rows && table.positions.every((position, at) => position === at)) {
    return reshape(graph, x, shape);
  }
  const index = constant(graph, `${name}.table`, {
    dtype: Dtype.int32,
    shape: table.shape,
    words: new Uint32Array(table.positions.buffer, table.positions.byteOffset, table.positions.length),
  });
  return graph.add({
    name,
    layer: "take",
    inputs: [x, index],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const source = lowering.view(x);
      const chosen = lowering.view(index);
      const [outerStride, rowStride, innerStride] = source.strides as [number, number, number];
      const taken = lowering.emit(name, {
        family: "gather",
        dtype: Dtype.float32,
        shape,
        rowStride,
        rows,
        operands: [
          operandOf(source, [outerStride, ...table.shape.map(() => 0), innerStride]),
          operandOf(chosen, [0, ...chosen.strides, 0]),
        ],
      });
      return lowering.copies(taken, source);
    },
  });
}

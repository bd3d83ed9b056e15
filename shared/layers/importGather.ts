/**
 * Gather, by constant or by computed indices, and GatherElements by computed ones. Constant indices that are evenly spaced are a slice.
 * An index that is computed must not be negative: it counts from the front.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementsOf } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { gatherAlong } from "./gather.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { take } from "./take.ts";

const MOST_AXES = 6;
/** As embedding gradients. */
const BITS = 20;

export const importGather: Importer = (context) => {
  const { graph } = context;
  const table = context.tensor(0, Dtype.float32, Dtype.int32);
  const shape = graph.shape(table);
  const axis = context.axis(context.integer("axis", 0), shape.length);
  const name = `${layerName(graph, table)}.out`;
  const known = context.host(1);
  if (known !== null) {
    const positions = Array.from(known.values, (position) => context.axis(position, shape[axis]!));
    const after = [...shape.slice(0, axis), ...known.dimensions, ...shape.slice(axis + 1)];
    return reshape(graph, pick(graph, table, axis, positions, name), after);
  }
  const index = context.tensor(1, Dtype.int32);
  const rank = shape.length - 1 + graph.shape(index).length;
  if (rank > MOST_AXES) throw context.error(`its result has ${rank} axes`, `There can be ${MOST_AXES}.`);
  requireRows(context, index, shape[axis]!);
  return gatherAlong(graph, table, index, axis, name);
};

/** Positions of an axis: by strides where they are evenly spaced. */
function pick(graph: SourceGraph, input: ValueId, axis: number, positions: readonly number[], name: string): ValueId {
  const [first, second] = positions;
  const step = second === undefined ? 1 : second - first!;
  const isEven = step >= 1 && positions.every((position, i) => position === first! + i * step);
  if (isEven) return slice(graph, input, axis, first!, positions.length, step, name);
  return take(graph, input, axis, positions, name);
}

function requireRows(context: ImportContext, index: ValueId, rows: number): void {
  const { greatest } = context.graph.node(index);
  if (greatest !== undefined && greatest >= rows) {
    throw context.error(
      `its table has ${rows} rows and the data has tokens up to ${greatest}`,
      "Give the table a row for each token of the vocabulary.",
    );
  }
}

/** out[i] = table[i with its axis replaced by index[i]]. Gradient: the upstream gradients summed by index. */
export function gatherElements(
  graph: SourceGraph,
  table: ValueId,
  index: ValueId,
  axis: number,
  name: string,
): ValueId {
  const before = graph.shape(table);
  const shape = graph.shape(index);
  const { dtype } = graph.node(table);
  const gradientName = `${graph.name(table)}.grad`;
  const gradient = (upstream: ValueId | null): [ValueId, ValueId][] => [
    [
      table,
      graph.add({
        name: gradientName,
        layer: "scatterElements",
        inputs: [upstream!, index],
        dtype: Dtype.float32,
        shape: before,
        lower: (lowering) => {
          const values = lowering.view(upstream!);
          const chosen = lowering.view(index);
          const along = (strides: readonly number[]) => [...strides.with(axis, 0), strides[axis]!];
          return lowering.emit(gradientName, {
            family: "sumByIndex",
            dtype: Dtype.float32,
            shape: before,
            length: shape[axis]!,
            bits: BITS,
            axis,
            operands: [
              operandOf(values, along(values.strides)),
              operandOf(lowering.peak(values), new Array<number>(before.length + 1).fill(0)),
              operandOf(chosen, along(chosen.strides)),
            ],
          });
        },
      }),
    ],
  ];
  return graph.add({
    ...elementsOf(graph, table),
    name,
    layer: "gatherElements",
    inputs: [table, index],
    shape,
    ...(dtype === Dtype.float32 ? { gradient } : {}),
    lower: (lowering) => {
      const source = lowering.view(table);
      const chosen = lowering.view(index);
      return lowering.emit(name, {
        family: "gather",
        dtype,
        shape,
        rowStride: source.strides[axis]!,
        rows: before[axis]!,
        operands: [operandOf(source, source.strides.with(axis, 0)), operandOf(chosen, chosen.strides)],
      });
    },
  });
}

/** The indices of GatherElements; constant ones may count from the end. */
function elementIndex(context: ImportContext, rows: number): ValueId {
  const known = context.host(1);
  if (known === null) return context.tensor(1, Dtype.int32);
  const words = Uint32Array.from(known.values, (position) => context.axis(position, rows));
  return constant(context.graph, "index", { dtype: Dtype.int32, shape: known.dimensions, words });
}

export const importGatherElements: Importer = (context) => {
  const { graph } = context;
  const table = context.tensor(0, Dtype.float32, Dtype.int32);
  const shape = graph.shape(table);
  const axis = context.axis(context.integer("axis", 0), shape.length);
  const index = elementIndex(context, shape[axis]!);
  const positions = graph.shape(index);
  if (`${positions.with(axis, 0)}` !== `${shape.with(axis, 0)}`) {
    throw context.error(
      `[${shape}] and the indices [${positions}] differ beside axis ${axis}`,
      "Slice the data to the indices' shape first.",
    );
  }
  requireRows(context, index, shape[axis]!);
  return gatherElements(graph, table, index, axis, `${layerName(graph, table)}.out`);
};

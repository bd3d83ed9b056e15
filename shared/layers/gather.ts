/**
 * Gather along the first axis of a matrix: an embedding. out[i…, e] = table[index[i…], e].
 * Gradient: rows of the upstream gradient summed by index (SumByIndex), exact in any order.
 */
import { Dtype, wordCount } from "../program/descriptor.ts";
import type { SourceGraph, ValueId } from "../program/graph.ts";
import { type HostTensor, hostTensor } from "../program/onnx/host.ts";
import { operandOf } from "../program/view.ts";
import type { Importer } from "./importer.ts";
import { isHost, layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";

const BITS = 20;

export function embedding(graph: SourceGraph, table: ValueId, index: ValueId, name: string): ValueId {
  const [rows, width] = graph.shape(table) as [number, number];
  const positions = graph.shape(index);
  const shape = [...positions, width];
  return graph.add({
    name,
    layer: "gather",
    inputs: [table, index],
    dtype: Dtype.float32,
    shape,
    gradient: (upstream) => [[table, sumByIndex(graph, upstream!, index, rows, `${graph.name(table)}.grad`)]],
    lower: (lowering) => {
      const source = lowering.view(table);
      const chosen = lowering.view(index);
      return lowering.emit(name, {
        family: "gather",
        dtype: Dtype.float32,
        shape,
        rowStride: source.strides[0]!,
        rows,
        operands: [
          operandOf(source, [...positions.map(() => 0), source.strides[1]!]),
          operandOf(chosen, [...chosen.strides, 0]),
        ],
      });
    },
  });
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

export const importGather: Importer = (context) => {
  const { graph } = context;
  const data = context.input(0);
  if (isHost(data) && context.host(1) !== null) return gatherHost(context, data);
  const table = context.tensor(0);
  const index = context.tensor(1, Dtype.int32);
  const shape = graph.shape(table);
  if (shape.length !== 2 || context.axis(context.integer("axis", 0), shape.length) !== 0) {
    throw context.error(
      `[${shape}] is not gathered along the first of two axes`,
      "Use it as an embedding table [rows, width].",
    );
  }
  const greatest = graph.node(index).greatest;
  if (greatest !== undefined && greatest >= shape[0]!) {
    throw context.error(
      `its table has ${shape[0]} rows and the data has tokens up to ${greatest}`,
      "Give the table a row for each token of the vocabulary.",
    );
  }
  return embedding(graph, table, index, `${layerName(graph, table)}.out`);
};

/** Picks dimensions out of a shape. */
const gatherHost = (context: Parameters<Importer>[0], data: HostTensor): HostTensor => {
  const index = context.input(1);
  if (!isHost(index) || data.dimensions.length !== 1) {
    throw context.error("it takes shapes apart in a way that is not constant", "Export with a static shape.");
  }
  const values = index.values.map((at) => data.values[context.axis(at, data.values.length)]!);
  return hostTensor(data.type, index.dimensions, values);
};

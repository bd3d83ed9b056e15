/** Operators that lay a constant pattern over data: Trilu, OneHot, and IsNaN and IsInf, which no number of a valid step is. */

import type { ValueId } from "../graph/graph.ts";
import { hostTensor } from "../onnx/host.ts";
import { requireElements } from "../onnx/indexed.ts";
import { OnnxType } from "../onnx/model.ts";
import { Dtype } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { isHost, layerName } from "./importer.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { where } from "./where.ts";

export const importTrilu: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0);
  const shape = graph.shape(input);
  const diagonal = context.has(1) ? context.integers(1, "k")?.[0] : 0;
  if (shape.length < 2 || diagonal === undefined) throw context.error(`[${shape}] is no matrix`, "Correct its shape.");
  const isUpper = context.integer("upper", 1) === 1;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const kept = Float32Array.from({ length: requireElements([rows, columns]) }, (_, at) => {
    const above = (at % columns) - Math.floor(at / columns);
    return (isUpper ? above >= diagonal : above <= diagonal) ? 1 : 0;
  });
  const name = `${layerName(graph, input)}.trilu`;
  const mask = constant(graph, `${name}.mask`, {
    dtype: Dtype.float32,
    shape: [rows, columns],
    words: new Uint32Array(kept.buffer),
  });
  const zero = constant(graph, "zero", { dtype: Dtype.float32, shape: [], words: Uint32Array.of(0) });
  return where(graph, mask, input, zero, name);
};

/** Of indices in the data, which are not negative. */
export const importOneHot: Importer = (context) => {
  const { graph } = context;
  const indices = context.tensor(0, Dtype.int32);
  const [depth, values] = [context.host(1)?.values[0], context.host(2)?.values];
  if (depth === undefined || values === undefined)
    throw context.error("its depth or values are not constant", "Export them as constants.");
  const before = graph.shape(indices);
  const axis = context.axis(context.integer("axis", -1), before.length + 1);
  const classes = before.map(() => 1).toSpliced(axis, 0, depth);
  const words = new Uint32Array(Float32Array.from({ length: requireElements([depth]) }, (_, index) => index).buffer);
  const name = `${layerName(graph, indices)}.oneHot`;
  const index = constant(graph, `${name}.classes`, { dtype: Dtype.float32, shape: classes, words });
  const [off, on] = [Math.fround(values[0]!), Math.fround(values[1]!)];
  return elementwise(
    graph,
    name,
    "oneHot",
    [reshape(graph, indices, before.toSpliced(axis, 0, 1)), index],
    (map, [i, c]) => map.select(map.equal(i!, c!), map.immediate(on), map.immediate(off)),
  );
};

/** Exporters ask for it behind a softmax, to make rows zero that are masked throughout. */
export const importNever: Importer = (context) => {
  const input = context.input(0);
  const shape = isHost(input) ? input.dimensions : context.graph.shape(input as ValueId);
  return hostTensor(OnnxType.bool, shape, new Float64Array(requireElements(shape)));
};

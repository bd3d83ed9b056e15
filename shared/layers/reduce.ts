/** The reductions of ONNX over any axes, with or without keeping them: sums, means, greatest and least elements, norms. */

import { wordCount } from "../program/descriptor.ts";
import type { SourceGraph, ValueId } from "../program/graph.ts";
import { dotAlong } from "./dotAlong.ts";
import { elementwise } from "./elementwise.ts";
import { reduceExtreme } from "./greatest.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";
import { stretch } from "./stretch.ts";
import { sumTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** Sums over `axes`, which stay with length 1. Gradient: the upstream gradient, stretched. */
export function reduceSum(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const shape = graph.shape(input);
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  const values = sumTo(graph, input, kept, name);
  if (values === input) return input;
  return graph.add({
    name,
    layer: "reduceSum",
    inputs: [values, input],
    dtype: graph.node(values).dtype,
    shape: kept,
    gradient: (upstream) => [[input, stretch(graph, upstream!, shape)]],
    lower: (lowering) => lowering.view(values),
  });
}

const count = (graph: SourceGraph, input: ValueId, axes: readonly number[]) =>
  wordCount(axes.map((axis) => graph.shape(input)[axis]!));

export function reduceMean(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  return scale(graph, reduceSum(graph, input, axes, `${name}.sum`), 1 / count(graph, input, axes), name);
}

/** √Σ x². Gradient: g · x / y, and 0 where y is 0. Lines of small numbers are summed on grids of their own. */
export function reduceL2(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const shape = graph.shape(input);
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  const outer = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const moved = transpose(graph, input, [...outer, ...axes]);
  const lines = reshape(graph, moved, [...outer.map((axis) => shape[axis]!), count(graph, input, axes)]);
  const squares = reshape(graph, dotAlong(graph, lines, lines, outer.length, `${name}.squares`, "line"), kept);
  const values = elementwise(graph, name, "norm", [squares], (map, [s]) =>
    map.flush(map.sqrt(map.max(s!, map.immediate(0)))),
  );
  return graph.add({
    name,
    layer: "reduceL2",
    inputs: [values, input],
    dtype: graph.node(values).dtype,
    shape: kept,
    gradient: (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "normGradient", [input, values, upstream!], (map, [x, y, g]) =>
          map.flush(map.mul(x!, map.flush(map.div(g!, map.max(y!, map.immediate(LEAST_NORM)))))),
        ),
      ],
    ],
    lower: (lowering) => lowering.view(values),
  });
}

const LEAST_NORM = 2 ** -40;

type Reduction = (graph: SourceGraph, input: ValueId, axes: readonly number[], name: string) => ValueId;

function importer(reduce: Reduction, suffix: string): Importer {
  return (context) => {
    const { graph } = context;
    const input = context.tensor(0);
    const shape = graph.shape(input);
    const named = context.integers(1, "axes") ?? [];
    const none = context.integer("noop_with_empty_axes", 0) === 1;
    const all = [...shape.keys()];
    const axes =
      named.length === 0 && !none
        ? all
        : all.filter((at) => named.some((axis) => context.axis(axis, shape.length) === at));
    const reduced = reduce(graph, input, axes, `${layerName(graph, input)}.${suffix}`);
    if (context.integer("keepdims", 1) === 1) return reduced;
    return reshape(
      graph,
      reduced,
      shape.filter((_, axis) => !axes.includes(axis)),
    );
  };
}

export const importReduceSum = importer(reduceSum, "sum");
export const importReduceMean = importer(reduceMean, "mean");
export const importReduceMax = importer((graph, x, axes, name) => reduceExtreme(graph, x, axes, name, "max"), "max");
export const importReduceMin = importer((graph, x, axes, name) => reduceExtreme(graph, x, axes, name, "min"), "min");
export const importReduceL2 = importer(reduceL2, "norm");

/** The reductions of ONNX over any axes, with or without keeping them: sums, means, greatest and least elements, norms. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { wordCount } from "../program/descriptor.ts";
import { absolute } from "./absolute.ts";
import { dotAlong } from "./dotAlong.ts";
import { elementwise } from "./elementwise.ts";
import { reduceExtreme } from "./greatest.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";
import { logSumExp } from "./softmax.ts";
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

/** The axes of lengths 1 that stay, and the others as lines [kept…, length]. */
function asLines(graph: SourceGraph, input: ValueId, axes: readonly number[]): { lines: ValueId; kept: number[] } {
  const shape = graph.shape(input);
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  const outer = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const moved = transpose(graph, input, [...outer, ...axes]);
  return { lines: reshape(graph, moved, [...outer.map((axis) => shape[axis]!), count(graph, input, axes)]), kept };
}

/** Values that are computed from the input, under a gradient of their own. */
function withGradient(
  graph: SourceGraph,
  layer: string,
  input: ValueId,
  values: ValueId,
  slope: (map: MapBuilder, x: Register, y: Register) => Register,
): ValueId {
  const { name, dtype, shape } = graph.node(values);
  return graph.add({
    name,
    layer,
    inputs: [values, input],
    dtype,
    shape,
    gradient: (upstream) => [
      [
        input,
        elementwise(
          graph,
          `${graph.name(input)}.grad`,
          `${layer}Gradient`,
          [input, values, upstream!],
          (map, [x, y, g]) => map.flush(map.mul(g!, slope(map, x!, y!))),
        ),
      ],
    ],
    lower: (lowering) => lowering.view(values),
  });
}

/** Σ x², lines of small numbers on grids of their own. */
function squareSums(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const { lines, kept } = asLines(graph, input, axes);
  return reshape(graph, dotAlong(graph, lines, lines, graph.shape(lines).length - 1, name, "line"), kept);
}

/** Σ x². Gradient: 2 x g. */
export function reduceSumSquare(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const squares = squareSums(graph, input, axes, `${name}.sum`);
  const values = elementwise(graph, name, "squares", [squares], (map, [s]) => map.flush(map.max(s!, map.immediate(0))));
  return withGradient(graph, "reduceSumSquare", input, values, (map, x) => map.add(x, x));
}

/** √Σ x². Gradient: g · x / y, and 0 where y is 0. */
export function reduceL2(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const squares = squareSums(graph, input, axes, `${name}.squares`);
  const values = elementwise(graph, name, "norm", [squares], (map, [s]) =>
    map.flush(map.sqrt(map.max(s!, map.immediate(0)))),
  );
  return withGradient(graph, "reduceL2", input, values, (map, x, y) =>
    map.flush(map.div(x, map.max(y, map.immediate(LEAST_NORM)))),
  );
}

/** log Σ e^x: what log-softmax subtracts. Gradient: g times the softmax. */
export function reduceLogSumExp(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  const { lines, kept } = asLines(graph, input, axes);
  const last = graph.shape(lines).length - 1;
  const flat = logSumExp(graph, lines, last, name);
  return reshape(graph, flat, kept);
}

/** Σ |x|. */
export function reduceL1(graph: SourceGraph, input: ValueId, axes: readonly number[], name: string): ValueId {
  return reduceSum(graph, absolute(graph, input, `${name}.abs`), axes, name);
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
export const importReduceL1 = importer(reduceL1, "norm1");
export const importReduceSumSquare = importer(reduceSumSquare, "squares");
export const importReduceLogSumExp = importer(reduceLogSumExp, "logSumExp");
export const importReduceL2 = importer(reduceL2, "norm");

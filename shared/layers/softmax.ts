/**
 * Softmax and LogSoftmax over one axis. With m the exact maximum along the axis,
 *
 *     y = e^(z − m) / Σ e^(z − m)            ∂z = y · (g − Σ g y)
 *     y = z − m − log Σ e^(z − m)            ∂z = g − e^y Σ g
 *
 * The exponentials lie in [2e-9, 1.04] or are 0: more than 20 below the maximum (a share of 2e-9) nothing is left, so a mask of any
 * great negative number gives exactly 0. The sum is at least 0.99.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { wordCount } from "../program/descriptor.ts";
import { dotAlong } from "./dotAlong.ts";
import { elementwise } from "./elementwise.ts";
import { EXP_MOST, expNegative, LOG_LEAST, logarithm } from "./exponential.ts";
import { extremeAlong } from "./greatest.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

/** A power of two above the greatest exponential. */
const EXP_BOUND = 2;
/** The sum is read by nothing else, so it can use the finest grid. */
const BITS = 22;

interface Shares {
  /** Along the axis: the maximum, e^(z − maximum), and its sum. */
  readonly maximum: ValueId;
  readonly exponentials: ValueId;
  readonly total: ValueId;
}

function shares(graph: SourceGraph, input: ValueId, axis: number, name: string): Shares {
  const maximum = extremeAlong(graph, input, axis, `${name}.maximum`);
  const exponentials = elementwise(graph, `${name}.exp`, "exp", [input, maximum], (map, [z, m]) => {
    const below = map.sub(m!, z!);
    return map.select(map.less(below, map.immediate(EXP_MOST)), expNegative(map, below), map.immediate(0));
  });
  const sum = sumAxes(graph, exponentials, axis, axis + 1, `${name}.total`, { bits: BITS, bound: EXP_BOUND });
  return { maximum, exponentials, total: reshape(graph, sum, graph.shape(maximum)) };
}

const share = (map: MapBuilder, exponential: Register, total: Register) =>
  map.div(exponential, map.max(total, map.immediate(LOG_LEAST)));

export function softmax(graph: SourceGraph, input: ValueId, axis: number, name: string): ValueId {
  const { exponentials, total } = shares(graph, input, axis, name);
  const values = elementwise(graph, name, "softmaxValues", [exponentials, total], (map, [e, s]) => share(map, e!, s!));
  return withGradient(graph, input, values, (upstream) => {
    const mean = dotAlong(graph, upstream, values, axis, `${name}.mean`);
    return elementwise(
      graph,
      `${graph.name(input)}.grad`,
      "softmaxGradient",
      [values, upstream, mean],
      (map, [y, g, s]) => map.flush(map.mul(y!, map.flush(map.sub(g!, s!)))),
    );
  });
}

export function logSoftmax(graph: SourceGraph, input: ValueId, axis: number, name: string): ValueId {
  const { maximum, exponentials, total } = shares(graph, input, axis, name);
  const values = elementwise(graph, name, "logSoftmaxValues", [input, maximum, total], (map, [z, m, s]) =>
    map.flush(map.sub(map.sub(z!, m!), logarithm(map, s!))),
  );
  return withGradient(graph, input, values, (upstream) => {
    const sum = reshape(graph, sumAxes(graph, upstream, axis, axis + 1, `${name}.mass`), graph.shape(maximum));
    return elementwise(
      graph,
      `${graph.name(input)}.grad`,
      "logSoftmaxGradient",
      [exponentials, total, sum, upstream],
      (map, [e, s, mass, g]) => map.flush(map.sub(g!, map.flush(map.mul(share(map, e!, s!), mass!)))),
    );
  });
}

/** log Σ e^z along the axis, which stays with length 1. */
export function logSumExp(graph: SourceGraph, input: ValueId, axis: number, name: string): ValueId {
  const { maximum, exponentials, total } = shares(graph, input, axis, name);
  const values = elementwise(graph, name, "logSumExpValues", [maximum, total], (map, [m, s]) =>
    map.flush(map.add(m!, logarithm(map, s!))),
  );
  return withGradient(graph, input, values, (upstream) =>
    elementwise(
      graph,
      `${graph.name(input)}.grad`,
      "logSumExpGradient",
      [exponentials, total, upstream],
      (map, [e, s, g]) => map.flush(map.mul(g!, share(map, e!, s!))),
    ),
  );
}

/** The values under a gradient of their own, which goes straight to the input. */
function withGradient(
  graph: SourceGraph,
  input: ValueId,
  values: ValueId,
  gradient: (upstream: ValueId) => ValueId,
): ValueId {
  const { name, dtype, shape } = graph.node(values);
  return graph.add({
    name,
    layer: "softmax",
    inputs: [values, input],
    dtype,
    shape,
    gradient: (upstream) => [[input, gradient(upstream!)]],
    lower: (lowering) => lowering.view(values),
  });
}

type Layer = (graph: SourceGraph, input: ValueId, axis: number, name: string) => ValueId;

/** Before operator set 13 the axis and all behind it were one. */
function importAlong(context: ImportContext, layer: Layer, suffix: string): ValueId {
  const { graph } = context;
  const input = context.tensor(0);
  const shape = graph.shape(input);
  const flattens = context.operatorSet < 13;
  const axis = context.axis(context.integer("axis", flattens ? 1 : -1), shape.length);
  const name = `${layerName(graph, input)}.${suffix}`;
  if (!flattens) return layer(graph, input, axis, name);
  const flat = reshape(graph, input, [wordCount(shape.slice(0, axis)), wordCount(shape.slice(axis))]);
  return reshape(graph, layer(graph, flat, 1, name), shape);
}

export const importSoftmax: Importer = (context) => importAlong(context, softmax, "softmax");
export const importLogSoftmax: Importer = (context) => importAlong(context, logSoftmax, "logSoftmax");

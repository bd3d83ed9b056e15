/**
 * Normalisation of planes [C, R, N] by their own statistics: over R and N as BatchNormalization does, or over R alone as
 * InstanceNormalization does. y = γ · (x − mean) / √(variance + ε) + β, with the population variance.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { wordCount } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";
import { sumAxes } from "./sum.ts";

/** The sums are read by nothing else, so they can use the finest grid. */
const BITS = 22;

export interface Normalised {
  readonly output: ValueId;
  /** [C, 1, 1] or [C, 1, N]. */
  readonly mean: ValueId;
  readonly variance: ValueId;
}

/** @param over which axes are normalised; γ and β are [C]. */
export function normalise(
  graph: SourceGraph,
  x: ValueId,
  gamma: ValueId,
  beta: ValueId,
  over: "positions and batch" | "positions",
  epsilon: number,
  name: string,
): Normalised {
  const shape = graph.shape(x) as [number, number, number];
  const last = over === "positions" ? 2 : 3;
  const count = wordCount(shape.slice(1, last));
  const [channels] = shape;
  const statistics = [channels, 1, last === 2 ? shape[2] : 1];
  const sum = (value: ValueId, label: string): ValueId =>
    reshape(graph, sumAxes(graph, value, 1, last, label, { bits: BITS }), statistics);
  const mean = scale(graph, sum(x, `${name}.total`), 1 / count, `${name}.mean`);
  const centred = elementwise(graph, `${name}.centred`, "centred", [x, mean], (map, [a, m]) =>
    map.flush(map.sub(a!, m!)),
  );
  const square = elementwise(graph, `${name}.square`, "square", [centred], (map, [d]) => map.flush(map.mul(d!, d!)));
  const variance = scale(graph, sum(square, `${name}.squares`), 1 / count, `${name}.variance`);
  const inverse = elementwise(graph, `${name}.inverse`, "inverse", [variance], (map, [v]) =>
    inverseRoot(map, v!, epsilon),
  );
  const [g, b] = [gamma, beta].map((each) => reshape(graph, each, [channels, 1, 1])) as [ValueId, ValueId];
  const inner = elementwise(graph, name, "normalise", [centred, inverse, g, b], (map, [d, i, scaled, shift]) =>
    map.add(map.flush(map.mul(map.flush(map.mul(d!, i!)), scaled!)), shift!),
  );
  const output = graph.add({
    name,
    layer: "normalise",
    inputs: [inner],
    dtype: graph.node(inner).dtype,
    shape,
    gradient: (upstream) => {
      const parts = [centred, inverse, upstream!] as const;
      const product = elementwise(graph, `${name}.product`, "product", parts, (map, [d, i, u]) =>
        map.flush(map.mul(map.flush(map.mul(d!, i!)), u!)),
      );
      const [shiftTotal, scaleTotal] = [sum(upstream!, `${name}.upstream`), sum(product, `${name}.projection`)];
      const gradient = elementwise(
        graph,
        `${graph.name(x)}.grad`,
        "normaliseGradient",
        [...parts, g, shiftTotal, scaleTotal],
        (map, [d, i, u, scaled, shifts, scales]) => {
          const share = (total: Register) => map.flush(map.mul(total, map.immediate(1 / count)));
          const along = map.flush(map.mul(map.flush(map.mul(d!, i!)), share(scales!)));
          const rest = map.flush(map.sub(map.flush(map.sub(map.flush(u!), share(shifts!))), along));
          return map.flush(map.mul(map.flush(map.mul(rest, i!)), scaled!));
        },
      );
      // Statistics of one sample are summed once more, over the batch.
      const overAll = (total: ValueId, parameter: ValueId): ValueId =>
        reshape(
          graph,
          last === 3 ? total : sumAxes(graph, total, 2, 3, `${graph.name(parameter)}.grad`, { bits: BITS }),
          [channels],
        );
      return [
        [x, gradient],
        [gamma, overAll(scaleTotal, gamma)],
        [beta, overAll(shiftTotal, beta)],
      ];
    },
    lower: (lowering) => lowering.view(inner),
  });
  return { output, mean, variance };
}

/** γ · (x − mean) / √(variance + ε) + β with statistics [C] that are given; their own gradient is none. */
export function normaliseBy(
  graph: SourceGraph,
  x: ValueId,
  parameters: { readonly gamma: ValueId; readonly beta: ValueId; readonly mean: ValueId; readonly variance: ValueId },
  epsilon: number,
  name: string,
): ValueId {
  const [channels] = graph.shape(x) as [number];
  const column = (each: ValueId) => reshape(graph, each, [channels, 1, 1]);
  const { gamma, beta, mean, variance } = parameters;
  const inverse = elementwise(graph, `${name}.inverse`, "inverse", [column(variance)], (map, [v]) =>
    inverseRoot(map, map.max(v!, map.immediate(0)), epsilon),
  );
  const normal = (map: MapBuilder, a: Register, m: Register, i: Register) =>
    map.flush(map.mul(map.flush(map.sub(a, m)), i));
  const [g, b, m] = [column(gamma), column(beta), column(mean)];
  const inner = elementwise(graph, name, "normaliseBy", [x, m, inverse, g, b], (map, [a, mu, i, scaled, shift]) =>
    map.add(map.flush(map.mul(normal(map, a!, mu!, i!), scaled!)), shift!),
  );
  return graph.add({
    name,
    layer: "normaliseBy",
    inputs: [inner],
    dtype: graph.node(inner).dtype,
    shape: graph.shape(x),
    gradient: (upstream) => {
      const product = elementwise(
        graph,
        `${name}.product`,
        "product",
        [x, m, inverse, upstream!],
        (map, [a, mu, i, u]) => map.flush(map.mul(normal(map, a!, mu!, i!), u!)),
      );
      const sum = (value: ValueId, parameter: ValueId) =>
        sumAxes(graph, value, 1, 3, `${graph.name(parameter)}.grad`, { bits: BITS });
      const gradient = elementwise(
        graph,
        `${graph.name(x)}.grad`,
        "normaliseByGradient",
        [upstream!, inverse, g],
        (map, [u, i, scaled]) => map.flush(map.mul(map.flush(map.mul(u!, i!)), scaled!)),
      );
      return [
        [x, gradient],
        [gamma, sum(product, gamma)],
        [beta, sum(upstream!, beta)],
      ];
    },
    lower: (lowering) => lowering.view(inner),
  });
}

/** before · momentum + now · (1 − momentum): a running statistic after the step. */
export function runningStatistic(graph: SourceGraph, before: ValueId, now: ValueId, momentum: number): ValueId {
  const flat = reshape(graph, now, graph.shape(before));
  return elementwise(graph, `${graph.name(before)}.next`, "running", [before, flat], (map, [a, b]) =>
    map.flush(
      map.add(map.flush(map.mul(a!, map.immediate(momentum))), map.flush(map.mul(b!, map.immediate(1 - momentum)))),
    ),
  );
}

function inverseRoot(map: MapBuilder, variance: Register, epsilon: number): Register {
  return map.div(map.immediate(1), map.sqrt(map.add(variance, map.immediate(epsilon))));
}

/**
 * Layer normalisation (Ba, Kiros, Hinton 2016) and RMS normalisation (Zhang, Sennrich 2019) of lines of n elements:
 *
 *     d = x − mean x  (RMS: d = x)      r = 1 / √(Σ d² / n + ε)      y = d r γ + β
 *     ∂γ = Σ_lines g d r      ∂β = Σ_lines g      ∂x = r (g γ − Σ g γ / n − d r Σ (g d r) γ / n)      (RMS: without the first sum)
 *
 * The squares are summed on each line's own grid. What needs r computes it from the sum of squares: one number a line.
 */

import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { wordCount } from "../program/descriptor.ts";
import { dotAlong } from "./dotAlong.ts";
import { elementwise } from "./elementwise.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

export interface NormOptions {
  /** Whether the mean is subtracted. */
  readonly centred: boolean;
  readonly epsilon: number;
  /** γ and β, as many words as a line has. */
  readonly scale: ValueId | null;
  readonly shift: ValueId | null;
}

/** Below it, lines of zeros would be divided by what float32 sums lose anyway. */
const LEAST_EPSILON = 1e-12;
/** A mean can be much greater than the deviations from it, so it uses the finest grid. */
const BITS = 22;

/** Normalises the elements of the axes from `axis` on. */
export function normalise(
  graph: SourceGraph,
  input: ValueId,
  axis: number,
  options: NormOptions,
  name: string,
): ValueId {
  const shape = graph.shape(input);
  const lines = [wordCount(shape.slice(0, axis)), wordCount(shape.slice(axis))];
  return reshape(graph, normaliseLines(graph, reshape(graph, input, lines), options, name), shape);
}

function normaliseLines(graph: SourceGraph, input: ValueId, options: NormOptions, name: string): ValueId {
  const [rows, length] = graph.shape(input) as [number, number];
  const { centred } = options;
  const [scale, shift] = [options.scale, options.shift].map((parameter) =>
    parameter === null ? null : reshape(graph, parameter, [1, length]),
  ) as [ValueId | null, ValueId | null];
  const lineSum = (x: ValueId, what: string) =>
    reshape(graph, sumAxes(graph, x, 1, 2, `${name}.${what}`, { bits: BITS }), [rows, 1]);
  const perElement = (map: MapBuilder, sum: Register) => map.flush(map.mul(sum, map.immediate(1 / length)));

  const deviations = centred
    ? elementwise(graph, `${name}.centred`, "centre", [input, lineSum(input, "sum")], (map, [x, s]) =>
        map.flush(map.sub(x!, perElement(map, s!))),
      )
    : input;
  const squares = dotAlong(graph, deviations, deviations, 1, `${name}.squares`, "line");
  const inverse = (map: MapBuilder, sum: Register) => {
    const variance = map.max(map.mul(sum, map.immediate(1 / length)), map.immediate(0));
    const epsilon = map.immediate(Math.max(options.epsilon, LEAST_EPSILON));
    return map.div(map.immediate(1), map.sqrt(map.add(variance, epsilon)));
  };
  const normal = (map: MapBuilder, d: Register, sum: Register) => map.flush(map.mul(d, inverse(map, sum)));

  // Optional operands stand behind those that are always there.
  const parameters = [scale, shift].filter((parameter) => parameter !== null);
  const values = elementwise(graph, name, "normalise", [deviations, squares, ...parameters], (map, [d, s, ...rest]) => {
    const parts = rest.values();
    const scaled = scale === null ? normal(map, d!, s!) : map.flush(map.mul(normal(map, d!, s!), parts.next().value!));
    return shift === null ? scaled : map.add(scaled, parts.next().value!);
  });

  const gradient = (upstream: ValueId): Contribution[] => {
    const found: Contribution[] = [];
    const product = elementwise(
      graph,
      `${name}.product`,
      "normaliseProduct",
      [deviations, squares, upstream],
      (map, [d, s, g]) => map.flush(map.mul(g!, normal(map, d!, s!))),
    );
    const weighted = (x: ValueId, what: string) =>
      scale === null ? lineSum(x, what) : matmul(graph, x, reshape(graph, scale, [length, 1]), `${name}.${what}`);
    const operands = [
      deviations,
      squares,
      upstream,
      weighted(product, "slope"),
      ...(centred ? [weighted(upstream, "drift")] : []),
      ...(scale === null ? [] : [scale]),
    ];
    const below = elementwise(graph, `${graph.name(input)}.grad`, "normaliseGradient", operands, (map, registers) => {
      const [d, s, g, slope, ...rest] = registers as [Register, Register, Register, Register, ...Register[]];
      const drift = centred ? rest.shift()! : null;
      const [factor] = rest;
      const direct = factor === undefined ? map.flush(g) : map.flush(map.mul(g, factor));
      const level = drift === null ? direct : map.sub(direct, perElement(map, drift));
      const tilt = map.flush(map.mul(normal(map, d, s), perElement(map, slope)));
      return map.flush(map.mul(map.sub(level, tilt), inverse(map, s)));
    });
    found.push([input, below]);
    for (const [parameter, x, original] of [
      [scale, product, options.scale],
      [shift, upstream, options.shift],
    ] as const) {
      if (parameter === null) continue;
      const sum = sumAxes(graph, x, 0, 1, `${graph.name(original!)}.grad`);
      found.push([original!, reshape(graph, sum, graph.shape(original!))]);
    }
    return found;
  };
  return graph.add({
    name,
    layer: "normalisation",
    inputs: [values, input, ...[options.scale, options.shift].filter((parameter) => parameter !== null)],
    dtype: graph.node(values).dtype,
    shape: graph.shape(values),
    gradient: (upstream) => gradient(upstream!),
    lower: (lowering) => lowering.view(values),
  });
}

function importNorm(context: ImportContext, centred: boolean): ValueId {
  const { graph } = context;
  const input = context.tensor(0);
  const shape = graph.shape(input);
  const axis = context.axis(context.integer("axis", -1), shape.length);
  const length = wordCount(shape.slice(axis));
  const parameter = (index: number): ValueId | null => {
    if (!context.has(index)) return null;
    const value = context.tensor(index);
    if (wordCount(graph.shape(value)) === length) return value;
    throw context.error(
      `its parameter [${graph.shape(value)}] has not the ${length} elements that it normalises`,
      "Give each element its own factor.",
    );
  };
  const scale = parameter(1);
  const shift = centred ? parameter(2) : null;
  const name = `${layerName(graph, scale ?? input)}.norm`;
  const epsilon = context.float("epsilon", 1e-5);
  return normalise(graph, input, axis, { centred, epsilon, scale, shift }, name);
}

export const importLayerNormalization: Importer = (context) => importNorm(context, true);
export const importRmsNormalization: Importer = (context) => importNorm(context, false);

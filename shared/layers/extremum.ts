/**
 * Min, Max and Clip. The gradient goes to the operand that was chosen, half to each where two are equal; of Clip, to the input where it
 * lies within the bounds, ends included.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { sumTo } from "./sum.ts";

type Kind = "max" | "min";

export function extremum(graph: SourceGraph, kind: Kind, a: ValueId, b: ValueId, name: string): ValueId {
  const share = (own: ValueId, other: ValueId, upstream: ValueId) => {
    const gradient = elementwise(
      graph,
      `${graph.name(own)}.grad`,
      `${kind}Gradient`,
      [own, other, upstream],
      (map, [x, y, g]) => {
        const [low, high] = kind === "max" ? [y!, x!] : [x!, y!];
        const half = map.flush(map.mul(g!, map.immediate(0.5)));
        return map.select(map.less(low, high), g!, map.select(map.equal(x!, y!), half, map.immediate(0)));
      },
    );
    return [own, sumTo(graph, gradient, graph.shape(own), `${graph.name(own)}.grad`)] as const;
  };
  return elementwise(
    graph,
    name,
    kind,
    [a, b],
    (map, [x, y]) => map[kind](x!, y!),
    (upstream) => [share(a, b, upstream!), share(b, a, upstream!)],
  );
}

/** @param least lower bound, −∞ for none. */
export function clip(graph: SourceGraph, input: ValueId, least: number, most: number, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "clip",
    [input],
    (map, [x]) => {
      const below = most === Number.POSITIVE_INFINITY ? x! : map.min(x!, map.immediate(most));
      return least === Number.NEGATIVE_INFINITY ? below : map.max(below, map.immediate(least));
    },
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "clipGradient", [input, upstream!], (map, [x, g]) => {
          const zero = map.immediate(0);
          const below =
            most === Number.POSITIVE_INFINITY ? g! : map.select(map.less(map.immediate(most), x!), zero, g!);
          return least === Number.NEGATIVE_INFINITY
            ? below
            : map.select(map.less(x!, map.immediate(least)), zero, below);
        }),
      ],
    ],
    Math.max(Math.abs(least), Math.abs(most)),
  );
}

function importExtremum(kind: Kind): Importer {
  return (context) => {
    const { graph } = context;
    const [first, ...others] = broadcastOperands(context, context.inputCount) as [ValueId, ...ValueId[]];
    const name = `${layerName(graph, first)}.${kind}`;
    return others.reduce((value, other) => extremum(graph, kind, value, other, name), first);
  };
}

export const importMax = importExtremum("max");
export const importMin = importExtremum("min");

/** A bound of Clip: an attribute up to operator set 10, then an input. */
function clipBound(context: ImportContext, input: number, attribute: string, absent: number): number | null {
  if (!context.has(input)) return context.float(attribute, absent);
  return context.host(input)?.values[0] ?? null;
}

export const importClip: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0);
  const name = `${layerName(graph, input)}.clip`;
  const least = clipBound(context, 1, "min", Number.NEGATIVE_INFINITY);
  const most = clipBound(context, 2, "max", Number.POSITIVE_INFINITY);
  if (least !== null && most !== null) {
    // Bounds that no float32 number of a valid step reaches are none.
    const bounded = (bound: number) =>
      Math.abs(bound) > 2 ** 100 ? Math.sign(bound) * Number.POSITIVE_INFINITY : bound;
    const [low, high] = [bounded(least), bounded(most)];
    if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return input;
    if (Number.isFinite(least) && Number.isFinite(most) && least > most) {
      // ONNX: where min is above max, everything becomes max.
      return clip(graph, input, most, most, name);
    }
    return clip(graph, input, low, high, name);
  }
  // ONNX: Min(max, Max(input, min)).
  const raised = context.has(1) ? extremum(graph, "max", input, context.tensor(1, Dtype.float32), name) : input;
  return context.has(2) ? extremum(graph, "min", raised, context.tensor(2, Dtype.float32), name) : raised;
};

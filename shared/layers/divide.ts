/**
 * Div with broadcasting, and Reciprocal. A divisor that is a constant without zeros divides exactly as in float32; another one counts as
 * at least 2^-40 in magnitude, and the quotient is clipped to ±2^40 (`limit.ts`). Gradients: g / b, and −g · (a / b) / b.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { constant } from "./leaf.ts";
import { limited, quotient } from "./limit.ts";
import { multiply } from "./multiply.ts";
import { negate } from "./subtract.ts";
import { sumTo } from "./sum.ts";

export function divide(graph: SourceGraph, a: ValueId, b: ValueId, name: string): ValueId {
  const isSafe = graph.node(b).sign !== undefined;
  const output: ValueId = elementwise(
    graph,
    name,
    "div",
    [a, b],
    (map, [x, y]) => (isSafe ? limited(map, map.div(x!, y!)) : quotient(map, x!, y!)),
    (upstream) => {
      const [nameA, nameB] = [`${graph.name(a)}.grad`, `${graph.name(b)}.grad`];
      const share = divide(graph, upstream!, b, nameA);
      const ofDivisor = negate(graph, multiply(graph, share, output, nameB), nameB);
      return [
        [a, sumTo(graph, share, graph.shape(a), nameA)],
        [b, sumTo(graph, ofDivisor, graph.shape(b), nameB)],
      ];
    },
  );
  return output;
}

export const importDiv: Importer = (context) => {
  const [a, b] = broadcastOperands(context, 2) as [ValueId, ValueId];
  return divide(context.graph, a, b, `${layerName(context.graph, a)}.div`);
};

export const importReciprocal: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0);
  const one = constant(graph, "one", { dtype: Dtype.float32, shape: [], words: Uint32Array.of(0x3f800000) });
  return divide(graph, one, input, `${layerName(graph, input)}.reciprocal`);
};

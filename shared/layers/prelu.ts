/** PRelu: x, times a learned slope where it is negative. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import { sameShape } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { limited } from "./limit.ts";
import { sumTo } from "./sum.ts";

export function prelu(graph: SourceGraph, input: ValueId, slope: ValueId, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "prelu",
    [input, slope],
    (map, [x, s]) => map.select(map.less(x!, map.immediate(0)), limited(map, map.mul(x!, s!)), x!),
    (upstream) => {
      const [ofInput, ofSlope] = [`${graph.name(input)}.grad`, `${graph.name(slope)}.grad`];
      const inputGradient = elementwise(graph, ofInput, "preluGradient", [input, slope, upstream!], (map, [x, s, g]) =>
        map.select(map.less(x!, map.immediate(0)), limited(map, map.mul(g!, s!)), g!),
      );
      const terms = elementwise(graph, ofSlope, "preluSlopeGradient", [input, upstream!], (map, [x, g]) =>
        map.select(map.less(x!, map.immediate(0)), limited(map, map.mul(g!, x!)), map.immediate(0)),
      );
      return [
        [input, inputGradient],
        [slope, sumTo(graph, terms, graph.shape(slope), ofSlope)],
      ];
    },
  );
}

export const importPRelu: Importer = (context) => {
  const { graph } = context;
  const [input, slope] = [context.tensor(0), context.tensor(1)];
  const shape = graph.shape(input);
  const spread = broadcastShape(shape, graph.shape(slope));
  if (spread === null || !sameShape(spread, shape)) {
    throw context.error(`the slope [${graph.shape(slope)}] does not broadcast to [${shape}]`, "Correct its shape.");
  }
  return prelu(graph, input, slope, `${layerName(graph, slope)}.prelu`);
};

/** Sum and Mean of any number of tensors, with broadcasting. */
import type { ValueId } from "../graph/graph.ts";
import { add } from "./add.ts";
import { broadcastOperands } from "./binary.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { scale } from "./scale.ts";

export const importSum: Importer = (context) => {
  const { graph } = context;
  const [first, ...others] = broadcastOperands(context, context.inputCount) as [ValueId, ...ValueId[]];
  return others.reduce((sum, other) => add(graph, sum, other, `${layerName(graph, first)}.sum`), first);
};

export const importMean: Importer = (context) => {
  const total = importSum(context) as ValueId;
  const { graph } = context;
  return scale(graph, total, 1 / context.inputCount, `${layerName(graph, total)}.mean`);
};

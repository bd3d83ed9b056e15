/** Relu: max(x, 0). Gradient: the upstream gradient where the output is positive. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";

export function relu(graph: SourceGraph, input: ValueId, name: string): ValueId {
  const output: ValueId = elementwise(
    graph,
    name,
    "relu",
    [input],
    (map, [x]) => map.max(x!, map.immediate(0)),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "reluGradient", [output, upstream!], (map, [y, g]) =>
          map.select(map.less(map.immediate(0), y!), g!, map.immediate(0)),
        ),
      ],
    ],
  );
  return output;
}

export const importRelu: Importer = (context) => {
  const input = context.tensor(0);
  return relu(context.graph, input, `${layerName(context.graph, input)}.relu`);
};

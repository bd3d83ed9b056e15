/** Multiplication by a number that is written into the program. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { elementwise } from "./elementwise.ts";

export function scale(graph: SourceGraph, input: ValueId, factor: number, name: string): ValueId {
  if (factor === 1) return input;
  return elementwise(
    graph,
    name,
    "scale",
    [input],
    (map, [x]) => map.flush(map.mul(x!, map.immediate(factor))),
    (upstream) => [[input, scale(graph, upstream!, factor, `${graph.name(input)}.grad`)]],
  );
}

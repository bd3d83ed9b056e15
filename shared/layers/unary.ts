/** Layers y = f(x), element by element. Gradient: the upstream gradient times f'(x). */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { limited } from "./limit.ts";

export interface Unary {
  readonly layer: string;
  readonly forward: (map: MapBuilder, x: Register) => Register;
  /** f' from the input, or from the output, whichever says it best. */
  readonly slope:
    | { readonly of: "input"; readonly expression: (map: MapBuilder, x: Register) => Register }
    | { readonly of: "output"; readonly expression: (map: MapBuilder, y: Register) => Register };
  /** A slope that is never above 2 leaves gradients what they are; others are clipped (`limit.ts`). */
  readonly isSteep?: boolean;
  /** Bound of |f|, where there is one. */
  readonly bound?: number;
}

export function unary(graph: SourceGraph, input: ValueId, name: string, { layer, ...rule }: Unary): ValueId {
  const keep = rule.isSteep === true ? limited : (map: MapBuilder, value: Register) => map.flush(value);
  const output: ValueId = elementwise(
    graph,
    name,
    layer,
    [input],
    (map, [x]) => rule.forward(map, x!),
    (upstream) => [
      [
        input,
        elementwise(
          graph,
          `${graph.name(input)}.grad`,
          `${layer}Gradient`,
          [rule.slope.of === "input" ? input : output, upstream!],
          (map, [z, g]) => keep(map, map.mul(g!, rule.slope.expression(map, z!))),
        ),
      ],
    ],
    rule.bound,
  );
  return output;
}

/** The importer of an operator of one input whose rule follows from its attributes. */
export function importUnary(rule: (context: Parameters<Importer>[0]) => Unary): Importer {
  return (context) => {
    const input = context.tensor(0);
    const chosen = rule(context);
    return unary(context.graph, input, `${layerName(context.graph, input)}.${chosen.layer}`, chosen);
  };
}

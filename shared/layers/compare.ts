/**
 * Equal, Less, Greater, LessOrEqual, GreaterOrEqual, and Not, And, Or, Xor on what they give. A truth value is a float32 0 or 1; nothing is
 * differentiated through it.
 */

import type { SourceGraph, SourceNode, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { Dtype } from "../program/descriptor.ts";
import { broadcastOperands } from "./binary.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";

type Expression = NonNullable<SourceNode["expression"]>;
type Rule = (map: MapBuilder, a: Register, b: Register) => Register;

const not = (map: MapBuilder, a: Register): Register => map.sub(map.immediate(1), a);

/** A node of truth values. */
function truth(graph: SourceGraph, name: string, layer: string, inputs: readonly ValueId[], rule: Expression): ValueId {
  const shape = inputs.map((input) => graph.shape(input)).reduce((a, b) => broadcastShape(a, b)!);
  const id: ValueId = graph.add({
    name,
    layer,
    inputs,
    dtype: Dtype.float32,
    bound: 1,
    isTruth: true,
    shape,
    expression: rule,
    lower: (lowering) => lowering.elementwise(id),
  });
  return id;
}

/** Where a tensor is not 0. */
export function truthOf(graph: SourceGraph, input: ValueId, name: string): ValueId {
  return truth(graph, name, "notZero", [input], (map, [x]) => not(map, map.equal(x!, map.immediate(0))));
}

function importRule(layer: string, rule: Rule): Importer {
  return (context) => {
    const { graph } = context;
    const operands = broadcastOperands(context, 2, Dtype.float32, Dtype.int32);
    const name = `${layerName(graph, operands[0]!)}.${layer}`;
    return truth(graph, name, layer, operands, (map, [a, b]) => rule(map, a!, b!));
  };
}

export const importEqual = importRule("equal", (map, a, b) => map.equal(a, b));
export const importLess = importRule("less", (map, a, b) => map.less(a, b));
export const importGreater = importRule("greater", (map, a, b) => map.less(b, a));
export const importLessOrEqual = importRule("lessOrEqual", (map, a, b) => not(map, map.less(b, a)));
export const importGreaterOrEqual = importRule("greaterOrEqual", (map, a, b) => not(map, map.less(a, b)));
export const importAnd = importRule("and", (map, a, b) => map.min(a, b));
export const importOr = importRule("or", (map, a, b) => map.max(a, b));
export const importXor = importRule("xor", (map, a, b) => not(map, map.equal(a, b)));

export const importNot: Importer = (context) => {
  const { graph } = context;
  const input: ValueId = context.tensor(0);
  const name = `${layerName(graph, input)}.not`;
  return truth(graph, name, "not", [input], (map, [a]) => not(map, a!));
};

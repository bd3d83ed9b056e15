/**
 * Equal, Less, Greater, LessOrEqual, GreaterOrEqual, and Not, And, Or, Xor on what they give. A truth value is a float32 0 or 1; nothing is
 * differentiated through it.
 */
import { Dtype } from "../program/descriptor.ts";
import type { ValueId } from "../program/graph.ts";
import type { MapBuilder, Register } from "../program/mapBuilder.ts";
import { broadcastOperands } from "./binary.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";

type Rule = (map: MapBuilder, a: Register, b: Register) => Register;

const not = (map: MapBuilder, a: Register): Register => map.sub(map.immediate(1), a);

function importRule(layer: string, rule: Rule): Importer {
  return (context) => {
    const { graph } = context;
    const operands = broadcastOperands(context, 2, Dtype.float32, Dtype.int32);
    const name = `${layerName(graph, operands[0]!)}.${layer}`;
    return elementwise(graph, name, layer, operands, (map, [a, b]) => rule(map, a!, b!), undefined, 1);
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
  return elementwise(graph, name, "not", [input], (map, [a]) => not(map, a!), undefined, 1);
};

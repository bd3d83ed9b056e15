/** Elementwise operators on known numbers, as ONNX defines them for their element types. */

import { broadcastShape } from "../../graph/graph.ts";
import type { ImportContext } from "../../layers/importer.ts";
import type { HostTensor } from "../../onnx/host.ts";
import { hostTensor, isFloat } from "../../onnx/host.ts";
import { broadcastPosition, fill } from "../../onnx/indexed.ts";
import { OnnxType } from "../../onnx/model.ts";
import type { Fold } from "./rule.ts";

/** The tensors broadcast to one shape and combined. */
function combined(
  context: ImportContext,
  inputs: readonly HostTensor[],
  type: OnnxType,
  rule: (values: readonly number[]) => number,
): HostTensor {
  const shape = inputs.reduce((spread: readonly number[], { dimensions }) => {
    const next = broadcastShape(spread, dimensions);
    if (next === null) throw context.error(`[${spread}] and [${dimensions}] do not broadcast`, "Correct the shapes.");
    return next;
  }, []);
  const positions = inputs.map((input) => broadcastPosition(input, shape.length));
  const values = fill(shape, (index) => rule(inputs.map((input, i) => input.values[positions[i]!(index)]!)));
  return hostTensor(type, shape, values);
}

function unary(rule: (x: number) => number): Fold {
  return (_, [input]) => hostTensor(input!.type, input!.dimensions, input!.values.map(rule));
}

function binary(rule: (a: number, b: number, isReal: boolean) => number): Fold {
  return (context, [a, b]) => {
    const isReal = isFloat(a!.type);
    return combined(context, [a!, b!], a!.type, ([x, y]) => rule(x!, y!, isReal));
  };
}

function comparison(rule: (a: number, b: number) => boolean): Fold {
  return (context, [a, b]) => combined(context, [a!, b!], OnnxType.bool, ([x, y]) => (rule(x!, y!) ? 1 : 0));
}

function variadic(rule: (values: readonly number[]) => number): Fold {
  return (context, inputs) => {
    const present = inputs.filter((input) => input !== null);
    return combined(context, present, present[0]!.type, rule);
  };
}

/** Ties go to the even neighbour. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

const divide: Fold = (context, [a, b]) => {
  if (!isFloat(a!.type) && b!.values.includes(0))
    throw context.error("it divides an integer by 0", "Correct the model.");
  return combined(context, [a!, b!], a!.type, ([x, y]) => x! / y!);
};

/** With fmod the sign of the dividend, else that of the divisor. */
const modulo: Fold = (context, [a, b]) => {
  const isTruncated = context.integer("fmod", 0) === 1;
  return combined(context, [a!, b!], a!.type, ([x, y]) => {
    const rest = x! % y!;
    return isTruncated || rest === 0 || rest < 0 === y! < 0 ? rest : rest + y!;
  });
};

const power: Fold = (context, [a, b]) => combined(context, [a!, b!], a!.type, ([x, y]) => x! ** y!);

const where: Fold = (context, [condition, a, b]) =>
  combined(context, [condition!, a!, b!], a!.type, ([c, x, y]) => (c !== 0 ? x! : y!));

const clip: Fold = (context, [input, least, most]) => {
  const low = least?.values[0] ?? context.float("min", Number.NEGATIVE_INFINITY);
  const high = most?.values[0] ?? context.float("max", Number.POSITIVE_INFINITY);
  return hostTensor(
    input!.type,
    input!.dimensions,
    input!.values.map((x) => Math.min(Math.max(x, low), high)),
  );
};

export const ELEMENTWISE_FOLDS: Readonly<Record<string, Fold>> = {
  Abs: unary(Math.abs),
  Acos: unary(Math.acos),
  Add: binary((a, b) => a + b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Asin: unary(Math.asin),
  Atan: unary(Math.atan),
  Ceil: unary(Math.ceil),
  Clip: clip,
  Cos: unary(Math.cos),
  Div: divide,
  Equal: comparison((a, b) => a === b),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Log: unary(Math.log),
  Max: variadic((values) => Math.max(...values)),
  Mean: variadic((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
  Min: variadic((values) => Math.min(...values)),
  Mod: modulo,
  Mul: binary((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: unary((x) => (x === 0 ? 1 : 0)),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Pow: power,
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Round: unary(roundHalfEven),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Sqrt: unary(Math.sqrt),
  Sub: binary((a, b) => a - b),
  Sum: variadic((values) => values.reduce((sum, value) => sum + value, 0)),
  Tan: unary(Math.tan),
  Tanh: unary(Math.tanh),
  Where: where,
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
};

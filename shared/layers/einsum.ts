/**
 * Einsum of one or two tensors, as one Dot: the letters that both have are its batch axes, or, where the result has not got them, its reduced
 * axis. A letter stands once in a tensor; the ellipsis is not supported.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { type HostTensor, hostTensor } from "../onnx/host.ts";
import { wordCount } from "../program/descriptor.ts";
import { rowMajorStrides } from "../program/view.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { matmul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** A tensor under the letters of its axes. */
interface Lettered {
  readonly value: ValueId;
  readonly letters: readonly string[];
}

function arranged(graph: SourceGraph, { value, letters }: Lettered, order: readonly string[]): ValueId {
  return transpose(
    graph,
    value,
    order.map((letter) => letters.indexOf(letter)),
  );
}

/** Sums the axes away that nothing else has. */
function without(
  graph: SourceGraph,
  { value, letters }: Lettered,
  needed: ReadonlySet<string>,
  name: string,
): Lettered {
  const lone = [...letters.keys()].filter((axis) => !needed.has(letters[axis]!));
  const kept = letters.filter((letter) => needed.has(letter));
  const shape = graph.shape(value).filter((_, axis) => !lone.includes(axis));
  return { value: reshape(graph, reduceSum(graph, value, lone, `${name}.sum`), shape), letters: kept };
}

/** @param output letters of the result, each of a or b. */
export function einsum(
  graph: SourceGraph,
  operands: readonly Lettered[],
  output: readonly string[],
  name: string,
): ValueId {
  const others = (at: number) => operands.flatMap((operand, other) => (other === at ? [] : operand.letters));
  const [a, b] = operands.map((operand, at) =>
    without(graph, operand, new Set([...others(at), ...output]), `${name}.${at}`),
  );
  if (b === undefined) return arranged(graph, a!, output);
  const has = ({ letters }: Lettered, letter: string) => letters.includes(letter);
  const shared = a!.letters.filter((letter) => has(b, letter));
  const batch = shared.filter((letter) => output.includes(letter));
  const reduced = shared.filter((letter) => !output.includes(letter));
  const rows = a!.letters.filter((letter) => !has(b, letter));
  const columns = b.letters.filter((letter) => !has(a!, letter));
  const extents = new Map(
    [a!, b].flatMap(({ value, letters }) => letters.map((l, axis) => [l, graph.shape(value)[axis]!])),
  );
  const size = (letters: readonly string[]) => letters.map((letter) => extents.get(letter)!);
  const matrix = (operand: Lettered, first: readonly string[], second: readonly string[]) =>
    reshape(graph, arranged(graph, operand, [...batch, ...first, ...second]), [
      ...size(batch),
      wordCount(size(first)),
      wordCount(size(second)),
    ]);
  const product = matmul(graph, matrix(a!, rows, reduced), matrix(b, reduced, columns), name);
  const letters = [...batch, ...rows, ...columns];
  return arranged(graph, { value: reshape(graph, product, size(letters)), letters }, output);
}

/** The same of numbers that are known now. */
function hostEinsum(inputs: readonly HostTensor[], terms: readonly (readonly string[])[], output: readonly string[]) {
  const extents = new Map(
    inputs.flatMap(({ dimensions }, at) => terms[at]!.map((letter, axis) => [letter, dimensions[axis]!])),
  );
  const letters = [...output, ...[...extents.keys()].filter((letter) => !output.includes(letter))];
  const strides = terms.map((term, at) => {
    const own = rowMajorStrides(inputs[at]!.dimensions);
    return letters.map((letter) => own[term.indexOf(letter)] ?? 0);
  });
  const shape = output.map((letter) => extents.get(letter)!);
  const values = new Float64Array(wordCount(shape));
  const count = wordCount(letters.map((letter) => extents.get(letter)!));
  for (let at = 0; at < count; at++) {
    let rest = at;
    const places = inputs.map(() => 0);
    for (let axis = letters.length - 1; axis >= 0; axis--) {
      const extent = extents.get(letters[axis]!)!;
      for (const [operand, own] of strides.entries()) places[operand]! += (rest % extent) * own[axis]!;
      rest = Math.floor(rest / extent);
    }
    const product = inputs.reduce((result, { values: numbers }, operand) => result * numbers[places[operand]!]!, 1);
    values[Math.floor(at / (count / values.length))]! += product;
  }
  return hostTensor(inputs[0]!.type, shape, values);
}

/** The letters of the operands and of the result; without an arrow those that stand once, in their order. */
function parse(context: ImportContext): { terms: string[][]; output: string[] } {
  const equation = context.string("equation", "").replaceAll(/\s/g, "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",").map((term) => [...term]);
  const all = terms.flat();
  const once = [...new Set(all)].filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort();
  const output = right === undefined ? once : [...right];
  const repeats = [...terms, output].some((term) => new Set(term).size !== term.length);
  if (!/^[a-zA-Z,]*$/.test(left + (right ?? "")) || repeats || terms.length > 2) {
    throw context.error(
      `its equation is "${equation}"`,
      "Write out an ellipsis or a diagonal, and multiply two tensors at a time.",
    );
  }
  if (terms.length !== context.inputCount || output.some((letter) => !all.includes(letter))) {
    throw context.error(`its equation "${equation}" does not name its inputs`, "Correct the equation.");
  }
  return { terms, output };
}

export const importEinsum: Importer = (context) => {
  const { graph } = context;
  const { terms, output } = parse(context);
  const extents = new Map<string, number>();
  const check = (term: readonly string[], shape: readonly number[]) => {
    const fits =
      term.length === shape.length && term.every((l, axis) => (extents.get(l) ?? shape[axis]) === shape[axis]);
    if (!fits) throw context.error(`[${shape}] is not what "${term.join("")}" says`, "Correct the equation.");
    for (const [axis, letter] of term.entries()) extents.set(letter, shape[axis]!);
  };
  const known = terms.map((_, at) => context.host(at));
  if (known.every((host) => host !== null)) {
    for (const [at, host] of known.entries()) check(terms[at]!, host.dimensions);
    return hostEinsum(known, terms, output);
  }
  const operands = terms.map((letters, at) => {
    const value = context.tensor(at);
    check(letters, graph.shape(value));
    return { value, letters };
  });
  return einsum(graph, operands, output, `${layerName(graph, operands.at(-1)!.value)}.dot`);
};

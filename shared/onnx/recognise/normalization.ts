/**
 * Layer and RMS normalisation as exporters write them out, around the root of a mean of squares:
 *
 *     d = x − ReduceMean(x)  (RMS: x itself)      y = d / √(ReduceMean(d²) + ε) · γ + β      γ, β: where there are some
 */
import type { OnnxNode } from "../model.ts";
import type { NodeIndex, Replacement } from "./nodes.ts";

/** What y is made of, with the nodes that make it. */
interface Normal {
  readonly input: string;
  readonly centred: boolean;
  readonly epsilon: number;
  /** Trailing axes: −1 back to −count. */
  readonly count: number;
  readonly covered: readonly OnnxNode[];
}

/** The normalisation that the given node ends, or null; a node may end one without β that another node goes on with. */
export function recogniseNormalization(index: NodeIndex, last: OnnxNode): Replacement | null {
  const plain = normalOf(index, last);
  if (plain !== null) return replacement(last, plain, []);
  const scaled = weighted(index, last, "Mul");
  if (scaled !== null) return replacement(last, scaled.normal, [scaled.parameter]);
  const shifted = weighted(index, last, "Add");
  return shifted === null ? null : replacement(last, shifted.normal, [...shifted.inner, shifted.parameter]);
}

function replacement(last: OnnxNode, normal: Normal, parameters: readonly string[]): Replacement | null {
  if (!normal.centred && parameters.length > 1) return null;
  return {
    node: {
      ...last,
      operator: normal.centred ? "LayerNormalization" : "RMSNormalization",
      inputs: [normal.input, ...parameters],
      attributes: {
        axis: { kind: "int", value: -normal.count },
        epsilon: { kind: "float", value: normal.epsilon },
      },
    },
    covered: normal.covered.filter((node) => node !== last),
  };
}

interface Weighted {
  readonly normal: Normal;
  readonly parameter: string;
  /** γ, where the parameter is β. */
  readonly inner: readonly string[];
}

/** normal · γ, or normal · γ + β; γ and β are constants or initializers as long as the axes. */
function weighted(index: NodeIndex, last: OnnxNode, operator: "Mul" | "Add"): Weighted | null {
  if (last.domain !== "" || last.operator !== operator) return null;
  for (const [value, parameter] of [last.inputs, last.inputs.toReversed()] as [string, string][]) {
    const shape = index.constantShape(parameter);
    const node = index.producer(value, "Mul", "Div");
    if (shape === null || node === null) continue;
    if (operator === "Mul") {
      const normal = normalOf(index, node);
      if (normal !== null && fits(shape, normal)) {
        return { normal: { ...normal, covered: [...normal.covered, node] }, parameter, inner: [] };
      }
    } else {
      const scaled = weighted(index, node, "Mul");
      if (scaled?.normal.centred === true && fits(shape, scaled.normal)) {
        const covered = [...scaled.normal.covered, node];
        return { normal: { ...scaled.normal, covered }, parameter, inner: [scaled.parameter] };
      }
    }
  }
  return null;
}

/** Whether a parameter has one number for each normalised element: as many axes, none of them stretched unless all but one are 1. */
function fits(shape: readonly number[], { count }: Normal): boolean {
  return shape.length === count && shape.every((dimension) => dimension > 1);
}

/** d / √(mean d² + ε), or d times the reciprocal of the root. */
function normalOf(index: NodeIndex, last: OnnxNode): Normal | null {
  if (last.domain !== "") return null;
  const found = (d: string, root: Root | null): Normal | null => (root?.of === d ? centre(index, d, root) : null);
  if (last.operator === "Div") {
    const [d, divisor] = last.inputs as [string, string];
    return found(d, rootOf(index, divisor));
  }
  if (last.operator !== "Mul") return null;
  const [a, b] = last.inputs as [string, string];
  return found(a, inverseRootOf(index, b)) ?? found(b, inverseRootOf(index, a));
}

interface Root {
  /** The tensor whose squares are averaged. */
  readonly of: string;
  readonly epsilon: number;
  readonly axes: readonly number[];
  readonly covered: readonly OnnxNode[];
}

function inverseRootOf(index: NodeIndex, name: string): Root | null {
  const node = index.producer(name, "Reciprocal", "Div", "Pow");
  if (node === null) return null;
  const [first, second] = node.inputs as [string, string];
  let root: Root | null = null;
  if (node.operator === "Reciprocal") root = rootOf(index, first);
  else if (node.operator === "Div" && index.scalar(first) === 1) root = rootOf(index, second);
  else if (node.operator === "Pow" && index.scalar(second) === -0.5) root = steadied(index, first);
  return root === null ? null : { ...root, covered: [...root.covered, node] };
}

function rootOf(index: NodeIndex, name: string): Root | null {
  const node = index.producer(name, "Sqrt", "Pow");
  if (node === null || (node.operator === "Pow" && index.scalar(node.inputs[1]!) !== 0.5)) return null;
  const root = steadied(index, node.inputs[0]!);
  return root === null ? null : { ...root, covered: [...root.covered, node] };
}

/** mean d² + ε. */
function steadied(index: NodeIndex, name: string): Root | null {
  const sum = index.producer(name, "Add");
  if (sum === null) return null;
  for (const [value, constant] of [sum.inputs, sum.inputs.toReversed()] as [string, string][]) {
    const epsilon = index.scalar(constant);
    const mean = index.producer(value, "ReduceMean");
    const axes = mean === null ? null : trailingAxes(index, mean);
    if (epsilon === null || mean === null || axes === null) continue;
    const square = index.producer(mean.inputs[0]!, "Pow", "Mul");
    if (square === null) continue;
    const [of, other] = square.inputs as [string, string];
    const isSquare = square.operator === "Pow" ? index.scalar(other) === 2 : of === other;
    if (isSquare) return { of, epsilon, axes, covered: [sum, mean, square] };
  }
  return null;
}

/** The axes −1 … −count of a mean that keeps them, null for others. */
function trailingAxes(index: NodeIndex, mean: OnnxNode): readonly number[] | null {
  const keeps = mean.attributes.keepdims;
  if (keeps?.kind === "int" && keeps.value !== 1) return null;
  const axes = index.integers(mean, "axes", 1)?.toSorted((a, b) => b - a) ?? [];
  return axes.length > 0 && axes.every((axis, at) => axis === -1 - at) ? axes : null;
}

/** d = x − mean x over the same axes; else what is normalised is d itself. */
function centre(index: NodeIndex, d: string, { epsilon, axes, covered }: Root): Normal {
  const rest = { epsilon, count: axes.length };
  const difference = index.producer(d, "Sub");
  const mean = difference === null ? null : index.producer(difference.inputs[1]!, "ReduceMean");
  if (difference !== null && mean !== null && mean.inputs[0] === difference.inputs[0]) {
    if (`${trailingAxes(index, mean)}` === `${axes}`) {
      return { ...rest, input: difference.inputs[0]!, centred: true, covered: [...covered, difference, mean] };
    }
  }
  return { ...rest, input: d, centred: false, covered };
}

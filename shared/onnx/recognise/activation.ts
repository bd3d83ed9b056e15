/**
 * Activations that exporters write out: GELU by erf or tanh, and x · σ(αx). They are recognised by value: a chain of elementwise nodes
 * around an Erf, Tanh or Sigmoid is evaluated as a function of one tensor at a few numbers, whatever the order of its factors.
 */
import type { OnnxNode } from "../model.ts";
import type { NodeIndex, Replacement } from "./nodes.ts";

const CURVED: Readonly<Record<string, (x: number) => number>> = {
  Erf: erf,
  Tanh: Math.tanh,
  Sigmoid: logistic,
};
const PLAIN: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Sqrt: Math.sqrt,
  Neg: (a) => -a,
  Reciprocal: (a) => 1 / a,
  Identity: (a) => a,
};
const OPERATORS = [...Object.keys(CURVED), ...Object.keys(PLAIN)];
/** Longest way from the result to the tensor, in nodes; the exporters' are at most 8. */
const DEPTH = 10;
const POINTS = [-6, -3.3, -1.7, -1, -0.4, -0.1, 0, 0.2, 0.7, 1.3, 2.6, 5];
/** Exporters write their constants in float32. */
const TOLERANCE = 1e-6;

/** The activation that the given node ends, or null. */
export function recogniseActivation(index: NodeIndex, last: OnnxNode): Replacement | null {
  if (last.domain !== "" || !(last.operator in PLAIN)) return null;
  const above = ancestors(index, last);
  if (!above.some(({ operator }) => operator in CURVED)) return null;
  const candidates = new Set(above.flatMap(({ inputs }) => inputs));
  for (const input of candidates) {
    const covered = new Set<OnnxNode>();
    const curve = POINTS.map((x) => evaluate(index, last.outputs[0]!, input, x, covered));
    const named = [...covered].some(({ operator }) => operator in CURVED) ? activationOf(curve) : null;
    if (named !== null) {
      return { node: { ...last, inputs: [input], ...named }, covered: [...covered].filter((node) => node !== last) };
    }
  }
  return null;
}

function ancestors(index: NodeIndex, last: OnnxNode): OnnxNode[] {
  const found = new Set([last]);
  let level = [last];
  for (let depth = 1; depth < DEPTH && level.length > 0; depth++) {
    level = level.flatMap(({ inputs }) =>
      inputs.flatMap((input) => {
        const node = index.producer(input, ...OPERATORS);
        return node === null || found.has(node) ? [] : [node];
      }),
    );
    for (const node of level) found.add(node);
  }
  return [...found];
}

/** The value called `name` where `variable` is x; NaN when it depends on anything else. `covered` gets the nodes on the way. */
function evaluate(index: NodeIndex, name: string, variable: string, x: number, covered: Set<OnnxNode>): number {
  if (name === variable) return x;
  const constant = index.scalar(name);
  if (constant !== null) return constant;
  const node = index.producer(name, ...OPERATORS);
  if (node === null) return Number.NaN;
  covered.add(node);
  const values = node.inputs.map((input) => evaluate(index, input, variable, x, covered));
  return (CURVED[node.operator] ?? PLAIN[node.operator]!)(values[0]!, values[1]!);
}

function activationOf(curve: readonly number[]): Pick<OnnxNode, "operator" | "attributes"> | null {
  const is = (exact: (x: number) => number) =>
    POINTS.every((x, i) => Math.abs(curve[i]! - exact(x)) <= TOLERANCE * (1 + Math.abs(x)));
  if (is((x) => (x / 2) * (1 + erf(x / Math.SQRT2)))) return { operator: "Gelu", attributes: {} };
  if (is((x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))))) {
    return { operator: "Gelu", attributes: { approximate: { kind: "string", value: "tanh" } } };
  }
  // Of x · σ(αx), the value at a point gives α.
  const [at, value] = [POINTS.at(-3)!, curve.at(-3)!];
  const share = value / at;
  const alpha = Math.fround(Math.log(share / (1 - share)) / at);
  if (alpha > 0 && is((x) => x * logistic(alpha * x))) {
    return { operator: "Swish", attributes: { alpha: { kind: "float", value: alpha } } };
  }
  return null;
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** By its series, and by the continued fraction of its complement. */
function erf(x: number): number {
  const t = Math.abs(x);
  if (t < 3) {
    let sum = 0;
    let term = t;
    for (let k = 0; Math.abs(term) > 1e-18; k++) {
      sum += term / (2 * k + 1);
      term *= (-t * t) / (k + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = t;
  for (let k = 60; k > 0; k--) fraction = t + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-t * t) / (fraction * Math.sqrt(Math.PI)));
}

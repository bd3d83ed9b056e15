/**
 * Map's div and sqrt, correctly rounded, in three realisations. `native` relies on the engine's Div and Sqrt. `float64` rounds twice, which is
 * innocent: 53 ≥ 2 · 24 + 2 bits (Figueroa 1995). `corrected` needs only that float32's add, sub and mul are correctly rounded and that Div and
 * Sqrt are within some tens of units in the last place, as WGSL promises:
 *
 * 1. Operands are scaled by powers of two to 2^-36 … 2^38 (`scaling`), so that nothing below over- or underflows. A result that the
 *    last scaling makes subnormal is faint (docs/numerics.md, section 4.1).
 * 2. One Newton step with the residual a − q·b takes the engine's q to within (1/2 + 2^-10) units of the quotient, since the residual's product is
 *    exact (Veltkamp, Dekker 1971). So this q1 is a neighbour of the quotient, and so is q2 = q1 + 1.5 (a − q1·b) / b:
 *    the one on the other side of the quotient where that is more than a third of a unit away, q1 otherwise.
 * 3. The residuals of neighbours of the quotient are float32s and computed without rounding. The lesser residual is the nearer
 *    quotient; there are no ties, as no quotient lies in the middle of two normal float32s.
 *
 * The root goes alike; s1 and s2 = s1 + d are compared by their middle m: √a > m exactly if a − s1² > s1·d + d²/4. The left side and s1·d are
 * multiples of the square of the lesser unit and d²/4 is a quarter of it, so that is a − s1² > s1·d, which float32 holds both.
 */
import { OnnxType } from "../../onnx/model.ts";
import type { RootRealisation } from "./arithmetic.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast, elementwise } from "./nodes.ts";

export const DIVIDE: Readonly<Record<RootRealisation, (graph: GraphBuilder, a: Value, b: Value) => Value>> = {
  native: (graph, a, b) => elementwise(graph, "Div", [a, b]),
  float64: (graph, a, b) => throughFloat64(graph, "Div", [a, b]),
  corrected: correctedQuotient,
};

export const ROOT: Readonly<Record<RootRealisation, (graph: GraphBuilder, a: Value) => Value>> = {
  native: (graph, a) => elementwise(graph, "Sqrt", [a]),
  float64: (graph, a) => throughFloat64(graph, "Sqrt", [a]),
  corrected: correctedRoot,
};

function throughFloat64(graph: GraphBuilder, operator: string, operands: readonly Value[]): Value {
  const wide = operands.map((operand) => cast(graph, operand, OnnxType.float64));
  return cast(graph, elementwise(graph, operator, wide), OnnxType.float32);
}

function correctedQuotient(graph: GraphBuilder, a: Value, b: Value): Value {
  const { add, sub, mul, div, abs, less, where } = arithmeticOf(graph);
  const [numerator, denominator] = [scaling(graph, a), scaling(graph, b)];
  const [x, y] = [numerator.scaled, denominator.scaled];
  const parts = split(graph, y);
  const residual = (q: Value): Value => {
    const { product, error } = exactProduct(graph, q, split(graph, q), y, parts);
    return sub(sub(x, product), error);
  };
  const q0 = div(x, y);
  const q1 = add(q0, div(residual(q0), y));
  const r1 = residual(q1);
  const q2 = add(q1, mul(div(r1, y), graph.float(1.5)));
  const nearest = where(less(abs(residual(q2)), abs(r1)), q2, q1);
  const half = mul(numerator.inverseHalf, denominator.half);
  return mul(mul(nearest, half), half);
}

function correctedRoot(graph: GraphBuilder, a: Value): Value {
  const { add, sub, mul, div, max, min, less, where } = arithmeticOf(graph);
  const { scaled: x, inverseHalf } = scaling(graph, a);
  const residual = (s: Value): Value => {
    const parts = split(graph, s);
    const { product, error } = exactProduct(graph, s, parts, s, parts);
    return sub(sub(x, product), error);
  };
  // Only the root of zero is less than 2^-20.
  const correction = (r: Value, s: Value): Value => div(mul(r, graph.float(0.5)), max(s, graph.float(2 ** -20)));
  const s0 = elementwise(graph, "Sqrt", [x]);
  const s1 = add(s0, correction(residual(s0), s0));
  const r1 = residual(s1);
  const s2 = add(s1, mul(correction(r1, s1), graph.float(1.5)));
  const nearest = where(less(mul(s1, sub(s2, s1)), r1), max(s1, s2), min(s1, s2));
  return mul(nearest, inverseHalf);
}

/** Square roots of the factors by magnitude: below 2^-95, below 2^-32, above 2^32, above 2^96. Normal numbers come to 2^-36 … 2^38. */
const FACTOR_HALVES = { tiny: 2 ** 50, small: 2 ** 30, large: 2 ** -30, huge: 2 ** -45 } as const;

/** x · half · half, and the inverse of the half. */
function scaling(graph: GraphBuilder, x: Value): { scaled: Value; half: Value; inverseHalf: Value } {
  const { mul, abs, less, where } = arithmeticOf(graph);
  const magnitude = abs(x);
  const float = (value: number) => graph.float(value);
  const { tiny, small, large, huge } = FACTOR_HALVES;
  const choose = (of: (half: number) => number): Value =>
    where(
      less(magnitude, float(2 ** -32)),
      where(less(magnitude, float(2 ** -95)), float(of(tiny)), float(of(small))),
      where(
        less(float(2 ** 32), magnitude),
        where(less(float(2 ** 96), magnitude), float(of(huge)), float(of(large))),
        float(1),
      ),
    );
  const half = choose((factor) => factor);
  return { scaled: mul(mul(x, half), half), half, inverseHalf: choose((factor) => 1 / factor) };
}

interface Split {
  readonly high: Value;
  readonly low: Value;
}

/** Two halves of 12 bits (Veltkamp). */
function split(graph: GraphBuilder, x: Value): Split {
  const { sub, mul } = arithmeticOf(graph);
  const t = mul(x, graph.float(2 ** 12 + 1));
  const high = sub(t, sub(t, x));
  return { high, low: sub(x, high) };
}

/** product + error = a · b exactly (Dekker). */
function exactProduct(graph: GraphBuilder, a: Value, as: Split, b: Value, bs: Split): { product: Value; error: Value } {
  const { add, sub, mul } = arithmeticOf(graph);
  const product = mul(a, b);
  const first = sub(mul(as.high, bs.high), product);
  const second = add(first, mul(as.high, bs.low));
  const third = add(second, mul(as.low, bs.high));
  return { product, error: add(third, mul(as.low, bs.low)) };
}

function arithmeticOf(graph: GraphBuilder) {
  const binary = (operator: string) => (a: Value, b: Value) => elementwise(graph, operator, [a, b]);
  return {
    add: binary("Add"),
    sub: binary("Sub"),
    mul: binary("Mul"),
    div: binary("Div"),
    max: binary("Max"),
    min: binary("Min"),
    abs: (a: Value) => elementwise(graph, "Abs", [a]),
    less: (a: Value, b: Value) => elementwise(graph, "Less", [a, b], OnnxType.bool),
    where: (condition: Value, a: Value, b: Value) => elementwise(graph, "Where", [condition, a, b], OnnxType.float32),
  };
}

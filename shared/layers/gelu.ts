/**
 * GELU (Hendrycks, Gimpel 2016): x · Φ(x), with Φ by the error function or by the tanh that approximates it. Each is one Map, and so is
 * its gradient:
 *
 *     erf:  g · (Φ(x) + x φ(x))        tanh:  g · (½ (1 + t) + ½ x (1 − t²) u′),   t = tanh u,  u = √(2/π) (x + 0.044715 x³)
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import { ERF } from "./erf.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { type OddRational, oddRational, stretched } from "./oddRational.ts";
import { tanhExpression } from "./tanh.ts";

export type GeluForm = "none" | "tanh";

/** Φ(x) − ½. */
const NORMAL = stretched(ERF, Math.SQRT1_2, 0.5);
/** Φ(x) + x φ(x) − ½, minimax in absolute error on [0, 5.5]; |error| ≤ 5e-7. The derivative goes beyond 1 before it levels off. */
const SLOPE: OddRational = {
  limit: 5.5,
  numerator: [7.97884837e-1, -3.07998151e-2, 1.42052233e-2, 2.35134011e-5, 3.57091983e-5, 1.89291259e-7],
  denominator: [1, 2.94736729e-1, 4.10344577e-2, 3.5244913e-3, 1.92830635e-4, 8.8367992e-6],
};
/** Where the tanh has levelled off. */
const TANH_LIMIT = 8;
const LINEAR = Math.sqrt(2 / Math.PI);
const CUBIC = LINEAR * 0.044715;

/** x · c(x) where c lies in [0, 1]. */
function gated(map: MapBuilder, x: Register, odd: Register): Register {
  return map.flush(map.mul(x, map.add(odd, map.immediate(0.5))));
}

interface TanhTerms {
  readonly near: Register;
  readonly square: Register;
  readonly tanh: Register;
}

function tanhTerms(map: MapBuilder, x: Register): TanhTerms {
  const near = map.clamp(x, -TANH_LIMIT, TANH_LIMIT);
  const square = map.max(map.mul(near, near), map.immediate(2 ** -40));
  const inner = map.mul(near, map.add(map.mul(square, map.immediate(CUBIC)), map.immediate(LINEAR)));
  return { near, square, tanh: tanhExpression(map, inner) };
}

const VALUE: Readonly<Record<GeluForm, (map: MapBuilder, x: Register) => Register>> = {
  none: (map, x) => gated(map, x, oddRational(map, x, NORMAL)),
  tanh: (map, x) => gated(map, x, map.mul(tanhTerms(map, x).tanh, map.immediate(0.5))),
};

const DERIVATIVE: Readonly<Record<GeluForm, (map: MapBuilder, x: Register) => Register>> = {
  none: (map, x) => map.add(oddRational(map, x, SLOPE), map.immediate(0.5)),
  tanh: (map, x) => {
    const { near, square, tanh } = tanhTerms(map, x);
    const half = map.immediate(0.5);
    const bend = map.sub(half, map.mul(map.mul(tanh, tanh), half));
    const inner = map.add(map.mul(square, map.immediate(3 * CUBIC)), map.immediate(LINEAR));
    return map.add(map.add(map.mul(tanh, half), half), map.flush(map.mul(near, map.mul(bend, inner))));
  },
};

export function gelu(graph: SourceGraph, input: ValueId, form: GeluForm, name: string): ValueId {
  return elementwise(
    graph,
    name,
    "gelu",
    [input],
    (map, [x]) => VALUE[form](map, x!),
    (upstream) => [
      [
        input,
        elementwise(graph, `${graph.name(input)}.grad`, "geluGradient", [input, upstream!], (map, [x, g]) =>
          map.flush(map.mul(g!, map.flush(DERIVATIVE[form](map, x!)))),
        ),
      ],
    ],
  );
}

export const importGelu: Importer = (context) => {
  const form = context.string("approximate", "none");
  if (form !== "none" && form !== "tanh") throw context.error(`approximate is "${form}"`, 'Use "none" or "tanh".');
  const input = context.tensor(0);
  return gelu(context.graph, input, form, `${layerName(context.graph, input)}.gelu`);
};

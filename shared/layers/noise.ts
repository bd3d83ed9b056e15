/** Random numbers as a model's input: other ones in every step, the same for whoever computes it. */
import type { SourceGraph, ValueId } from "../program/graph.ts";
import type { MapBuilder, Register } from "../program/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import { logarithm } from "./exponential.ts";
import { random } from "./random.ts";

export type NoiseKind = "normal" | "uniform";

/** Half a unit of the random numbers, so that none of them is 0. */
const HALF_UNIT = 2 ** -25;
/** sin y = y · Σ c_k y^2k by its series, |error| ≤ 4e-6 on [−π/2, π/2]. */
const SINE = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880];

/** Numbers of mean 0: uniform in [−1, 1), or normal with variance 1 (Box, Muller 1958; none is beyond ±5.9). */
export function noise(graph: SourceGraph, shape: readonly number[], kind: NoiseKind, name: string): ValueId {
  const first = random(graph, shape, graph.takeStream(), `${name}.random`);
  if (kind === "uniform") {
    return elementwise(graph, name, "noise", [first], (map, [u]) =>
      map.sub(map.mul(u!, map.immediate(2)), map.immediate(1)),
    );
  }
  const second = random(graph, shape, graph.takeStream(), `${name}.random`);
  // Two Maps: one has not room for both the logarithm and the cosine.
  const radius = elementwise(graph, `${name}.radius`, "noise", [first], (map, [u]) => {
    const inverse = map.div(map.immediate(1), map.add(u!, map.immediate(HALF_UNIT)));
    return map.sqrt(map.max(map.mul(logarithm(map, inverse), map.immediate(2)), map.immediate(HALF_UNIT)));
  });
  return elementwise(graph, name, "noise", [radius, second], (map, [r, v]) =>
    map.flush(map.mul(r!, cosineOfTurn(map, v!))),
  );
}

/** cos(2πv) for v in [0, 1]: with s = |v − 1/2| − 1/4 it is sin(2πs), and s is within ±1/4. */
function cosineOfTurn(map: MapBuilder, v: Register): Register {
  const s = map.sub(map.abs(map.sub(v, map.immediate(0.5))), map.immediate(0.25));
  const angle = map.flush(map.mul(s, map.immediate(2 * Math.PI)));
  const square = map.max(map.mul(angle, angle), map.immediate(2 ** -60));
  return map.mul(angle, map.polynomial(square, SINE));
}

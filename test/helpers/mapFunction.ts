/** Functions that are written as Map instructions, evaluated in binary32 and compared with exact ones. */
import { mapTensor } from "../../shared/engine/reference/map.ts";
import { MapBuilder, type Register } from "../../shared/graph/mapBuilder.ts";
import { Random } from "./random.ts";

/** float32 results of a Map of one operand. */
export function apply(expression: (map: MapBuilder, x: Register) => Register, inputs: Float32Array): Float32Array {
  const map = new MapBuilder();
  const x = map.operand({
    reference: { kind: "operator", index: 0 },
    dtype: 0,
    count: inputs.length,
    offset: 0,
    strides: [1],
  });
  const parts = map.finish(expression(map, x))!;
  const operator = { family: "map", dtype: 0, shape: [inputs.length], ...parts } as const;
  return new Float32Array(mapTensor(operator, [new Uint32Array(inputs.buffer)]).buffer);
}

/** Evenly spaced and logarithmically small numbers of [−limit, limit] or [0, limit]. */
export function points(least: number, most: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: 60_000 }, (_, i) => {
    if (i % 3 === 0) return least + ((most - least) * i) / 60_000;
    const value = least + (most - least) * random.unit();
    return i % 3 === 1 ? value : value * 2 ** -random.between(0, 40);
  });
}

export function worstRelative(inputs: Float32Array, actual: Float32Array, exact: (x: number) => number): number {
  return inputs.reduce((worst, x, i) => {
    const expected = exact(x);
    return expected === 0 ? worst : Math.max(worst, Math.abs(actual[i]! / expected - 1));
  }, 0);
}

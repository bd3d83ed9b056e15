/**
 * Random numbers by distribution, other ones in every step, from the uniform ones of `random`. Where evaluation takes `NOT_RANDOM` for these,
 * everything is its mean.
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import { logarithm } from "./exponential.ts";
import { NOT_RANDOM, random } from "./random.ts";

/** √2 · erfinv(x) / x as a function of w − 5/2 for w = −log(1 − x²) in [0, 5], minimax in relative error, 1e-7. */
const CENTRE = [
  2.1233136653900146, 0.3488026559352875, -0.0059081632643938065, -0.001773001393303275, 0.0003091443213634193,
  -6.221564035513438e-6, -4.989171429770067e-6, 4.864877496402187e-7, 4.025434208188017e-8,
];
/** The same as a function of √w − 3 for w in [5, 16]. */
const TAIL = [
  4.006434440612793, 1.4165810346603394, 0.013349315151572227, -0.010778489522635937, 0.008112347684800625,
  -0.0051994952373206615, 0.0019178424263373017, 0.00014703726628795266, -0.0002899343380704522,
];
const BORDER = 5;
const MOST_LOG = 16;
/** Beyond the quantile of the last of 2^24 numbers, 5.42. */
const MOST = 5.5;

/**
 * Normally distributed, mean 0, deviation 1: the quantile of the middle of the interval that a uniform number stands for, to 2e-6 relative;
 * none is beyond ±5.42.
 * @param stream as `random`.
 */
export function normal(graph: SourceGraph, shape: readonly number[], stream: number, name: string): ValueId {
  const numbers = random(graph, shape, stream, `${name}.random`);
  // Two Maps: one has no room for the logarithm and the quantile.
  const logs = elementwise(graph, `${name}.log`, "normal", [numbers], (map, [r]) => {
    const x = centred(map, r!);
    const one = map.immediate(1);
    return logarithm(map, map.div(one, map.mul(map.sub(one, x), map.add(one, x))));
  });
  return elementwise(graph, name, "normal", [numbers, logs], (map, [r, w]) => {
    const near = map.polynomial(map.sub(map.clamp(w!, 0, BORDER), map.immediate(BORDER / 2)), CENTRE);
    const root = map.sqrt(map.clamp(w!, BORDER, MOST_LOG));
    const far = map.polynomial(map.sub(root, map.immediate(3)), TAIL);
    const slope = map.select(map.less(w!, map.immediate(BORDER)), near, far);
    const quantile = map.flush(map.clamp(map.mul(slope, centred(map, r!)), -MOST, MOST));
    return map.select(isRandom(map, r!), quantile, map.immediate(0));
  });
}

/** Uniform in [low, high). @param stream as `random`. */
export function uniform(
  graph: SourceGraph,
  shape: readonly number[],
  low: number,
  high: number,
  stream: number,
  name: string,
): ValueId {
  const numbers = random(graph, shape, stream, `${name}.random`);
  return elementwise(graph, name, "uniform", [numbers], (map, [r]) => {
    const spread = map.mul(map.select(isRandom(map, r!), r!, map.immediate(1 / 2)), map.immediate(high - low));
    return map.flush(map.add(spread, map.immediate(low)));
  });
}

/** 1 with the probability that the tensor gives, else 0; no gradient. @param stream as `random`. */
export function bernoulli(graph: SourceGraph, probability: ValueId, stream: number, name: string): ValueId {
  const numbers = random(graph, graph.shape(probability), stream, `${name}.random`);
  return elementwise(graph, name, "bernoulli", [numbers, probability], (map, [r, p]) =>
    map.select(isRandom(map, r!), map.less(r!, p!), p!),
  );
}

/** 2r − 1 + 2^-24: from the first of 2^24 equal intervals' edge to the middle of its image in [−1, 1]. Exact. */
function centred(map: MapBuilder, r: Register): Register {
  return map.add(map.sub(map.add(r, r), map.immediate(1)), map.immediate(2 ** -24));
}

function isRandom(map: MapBuilder, r: Register): Register {
  return map.less(r, map.immediate(NOT_RANDOM));
}

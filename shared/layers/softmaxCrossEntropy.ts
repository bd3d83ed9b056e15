/**
 * Mean softmax cross-entropy of logits against int32 classes, with label smoothing and an ignored target as PyTorch has them.
 *
 * Stabilisation. No family takes a signed maximum, but Peak takes |x|: of the logits clipped to ±C and raised by C, all ≥ 0,
 * it is the row's signed maximum plus C, up to a rounding of 2^-6. So a = Peak − C differs from the true maximum by at most
 * 2^-6, and e^(z − a) / Σ e^(z − a) is the softmax for any a. The exponentials lie in [2e-9, 1.04] by construction, so 2 bounds
 * them and the row's sum, which is at least 0.98, loses nothing to a badly chosen grid.
 *
 *     loss = mean_r Σ_v w_rv (log Σ_u e^(z_ru − a_r) + a_r − z_rv)        ∂loss/∂z_rv = (e_rv / Σ e_r − w_rv) / rows
 *
 * with w the target's distribution: 1 at the target, or spread a little by smoothing.
 *
 * Beyond C = 2^18, and more than 20 below the maximum (probability 2e-9), the exponentials are clipped: loss and gradient stay
 * finite and point the right way, and no term is below zero.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { elementwise } from "./elementwise.ts";
import { expNegative, LOG_LEAST, logarithm } from "./exponential.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

/** The greatest for which the rounding of the row's maximum stays within the exponential's domain, 1/32. */
const CLIP = 2 ** 18;
/** A power of two above e^(1/32), the greatest exponential. */
const EXP_BOUND = 2;
/** Both sums are read by nothing else, so they can use the finest grid. */
const BITS = 22;

export interface SoftmaxCrossEntropyOptions {
  /** ε: the target's probability is 1 − ε + ε / classes, that of every other class ε / classes. */
  readonly smoothing?: number | undefined;
  /** Rows with this target do not count. */
  readonly ignore?: number | undefined;
  /** Factor of the loss: 1 / n for one of n micro-batches. */
  readonly share?: number;
}

/**
 * @param logits float32 [..., classes].
 * @param target int32, one class for each row of classes, in any shape; below `classes`, or `ignore`.
 * @returns the loss, [1]: its mean over the rows that count, 0 when none does.
 */
export function softmaxCrossEntropy(
  graph: SourceGraph,
  logits: ValueId,
  target: ValueId,
  name: string,
  { smoothing = 0, ignore, share = 1 }: SoftmaxCrossEntropyOptions = {},
): ValueId {
  const classes = graph.shape(logits).at(-1)!;
  const rows = wordCount(graph.shape(logits)) / classes;
  const scores = reshape(graph, logits, [rows, classes]);
  const targets = reshape(graph, target, [rows, 1]);
  const raised = elementwise(graph, `${name}.raised`, "raise", [scores], (map, [z]) =>
    map.add(map.clamp(z!, -CLIP, CLIP), map.immediate(CLIP)),
  );
  const peak = rowPeak(graph, raised, `${name}.maximum`);
  const maximum = (map: MapBuilder, peak: Register) => map.sub(peak, map.immediate(CLIP));
  const exponentials = elementwise(graph, `${name}.exp`, "exp", [scores, peak], (map, [z, p]) =>
    expNegative(map, map.sub(maximum(map, p!), z!)),
  );
  const total = reshape(graph, sumAxes(graph, exponentials, 1, 2, `${name}.total`, { bits: BITS, bound: EXP_BOUND }), [
    rows,
    1,
  ]);
  const logTotal = elementwise(graph, `${name}.logTotal`, "logTotal", [total, peak], (map, [s, p]) =>
    map.add(logarithm(map, s!), maximum(map, p!)),
  );
  const classIds = constant(graph, `${name}.classes`, {
    dtype: Dtype.float32,
    shape: [1, classes],
    words: new Uint32Array(Float32Array.from({ length: classes }, (_, v) => v).buffer),
  });
  const counted = (map: MapBuilder, t: Register, x: Register): Register =>
    ignore === undefined ? x : map.select(map.equal(t, map.immediate(ignore)), map.immediate(0), x);
  /** The probability that the target gives to class v. */
  const wanted = (map: MapBuilder, t: Register, v: Register): Register => {
    const spread = smoothing / classes;
    if (smoothing === 0) return map.equal(t, v);
    return map.select(map.equal(t, v), map.immediate(1 - smoothing + spread), map.immediate(spread));
  };
  const terms = elementwise(
    graph,
    `${name}.terms`,
    "terms",
    [targets, classIds, logTotal, scores],
    (map, [t, v, l, z]) => {
      const difference = map.max(map.sub(l!, z!), map.immediate(0));
      if (smoothing === 0) return counted(map, t!, map.select(map.equal(t!, v!), difference, map.immediate(0)));
      return counted(map, t!, map.flush(map.mul(difference, wanted(map, t!, v!))));
    },
  );
  const sum = sumAxes(graph, terms, 0, 2, `${name}.sum`, { bits: BITS });
  const count = ignore === undefined ? [] : [countedRows(graph, targets, ignore, `${name}.count`)];
  // A mean over rows that are fixed is a product, one over rows that are counted a quotient.
  const mean = (map: MapBuilder, x: Register, count: Register | undefined): Register =>
    count === undefined
      ? map.mul(x, map.immediate(share / rows))
      : map.div(share === 1 ? x : map.mul(x, map.immediate(share)), map.max(count, map.immediate(1)));
  return elementwise(
    graph,
    name,
    "softmaxCrossEntropy",
    [sum, ...count],
    (map, [s, n]) => map.flush(mean(map, s!, n)),
    () => {
      const inputs = [exponentials, total, targets, classIds, ...count];
      const gradient = elementwise(
        graph,
        `${graph.name(logits)}.grad`,
        "softmaxGradient",
        inputs,
        (map, [e, s, t, v, n]) => {
          const difference = map.sub(map.div(e!, map.max(s!, map.immediate(LOG_LEAST))), wanted(map, t!, v!));
          return map.flush(mean(map, counted(map, t!, difference), n));
        },
      );
      return [[logits, reshape(graph, gradient, graph.shape(logits))]];
    },
  );
}

/** How many rows do not have the target `ignore`, [1]. */
function countedRows(graph: SourceGraph, targets: ValueId, ignore: number, name: string): ValueId {
  const counted = elementwise(graph, `${name}ed`, "count", [targets], (map, [t]) =>
    map.sub(map.immediate(1), map.equal(t!, map.immediate(ignore))),
  );
  return sumAxes(graph, counted, 0, 2, name, { bits: 1, bound: 1 });
}

/** The greatest magnitude of each row, [rows, 1]. */
function rowPeak(graph: SourceGraph, input: ValueId, name: string): ValueId {
  const [rows, length] = graph.shape(input) as [number, number];
  return graph.add({
    name,
    layer: "rowPeak",
    inputs: [input],
    dtype: Dtype.float32,
    shape: [rows, 1],
    lower: (lowering) => {
      const view = lowering.view(input);
      return lowering.emit(name, {
        family: "peak",
        dtype: Dtype.float32,
        shape: [rows, 1],
        length,
        mode: 0,
        operands: [operandOf(view, [view.strides[0]!, 0, view.strides[1]!])],
      });
    },
  });
}

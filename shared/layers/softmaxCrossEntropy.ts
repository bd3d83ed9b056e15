/**
 * Mean softmax cross-entropy of logits [rows, classes] against int32 classes [rows, 1].
 *
 * Stabilisation. No family takes a signed maximum, but Peak takes |x|: of the logits clipped to ±C and raised by C, all ≥ 0,
 * it is the row's signed maximum plus C, up to a rounding of 2^-14. So a = Peak − C differs from the true maximum by less than
 * 2^-13, and e^(z − a) / Σ e^(z − a) is the softmax for any a. The exponentials lie in [2e-9, 1.04] by construction, so 2 bounds
 * them and the row's sum, which is at least 0.99, loses nothing to a badly chosen grid.
 *
 *     loss = mean_r (log Σ_v e^(z_rv − a_r) + a_r − z_rt)        ∂loss/∂z_rv = (e_rv / Σ e_r − [v = t]) / rows
 *
 * Beyond C = 1024, and more than 20 below the maximum (probability 2e-9), the exponentials are clipped: loss and gradient stay
 * finite and point the right way.
 */
import { Dtype } from "../program/descriptor.ts";
import type { SourceGraph, ValueId } from "../program/graph.ts";
import type { MapBuilder, Register } from "../program/mapBuilder.ts";
import { operandOf } from "../program/view.ts";
import { elementwise } from "./elementwise.ts";
import { expNegative, LOG_LEAST, logarithm } from "./exponential.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

const CLIP = 1024;
/** A power of two above e^(1/32), the greatest exponential. */
const EXP_BOUND = 2;
/** Both sums are read by nothing else, so they can use the finest grid. */
const BITS = 22;

export function softmaxCrossEntropy(graph: SourceGraph, logits: ValueId, target: ValueId, name: string): ValueId {
  const [rows, classes] = graph.shape(logits) as [number, number];
  const raised = elementwise(graph, `${name}.raised`, "raise", [logits], (map, [z]) =>
    map.add(map.clamp(z!, -CLIP, CLIP), map.immediate(CLIP)),
  );
  const peak = rowPeak(graph, raised, `${name}.maximum`);
  const maximum = (map: MapBuilder, peak: Register) => map.sub(peak, map.immediate(CLIP));
  const exponentials = elementwise(graph, `${name}.exp`, "exp", [logits, peak], (map, [z, p]) =>
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
  const terms = elementwise(
    graph,
    `${name}.terms`,
    "terms",
    [target, classIds, logTotal, logits],
    (map, [t, v, l, z]) => map.select(map.equal(t!, v!), map.sub(l!, z!), map.immediate(0)),
  );
  const sum = sumAxes(graph, terms, 0, 2, `${name}.sum`, { bits: BITS });
  const perRow = (map: MapBuilder, x: Register) => map.mul(x, map.immediate(1 / rows));
  return elementwise(
    graph,
    name,
    "softmaxCrossEntropy",
    [sum],
    (map, [s]) => perRow(map, s!),
    () => [
      [
        logits,
        elementwise(
          graph,
          `${graph.name(logits)}.grad`,
          "softmaxGradient",
          [exponentials, total, target, classIds],
          (map, [e, s, t, v]) =>
            perRow(map, map.sub(map.div(e!, map.max(s!, map.immediate(LOG_LEAST))), map.equal(t!, v!))),
        ),
      ],
    ],
  );
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

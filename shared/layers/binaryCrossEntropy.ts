/**
 * Mean binary cross-entropy of logits z and targets t in [0, 1], in the form that does not overflow:
 *
 *     loss = mean (max(z, 0) − z t + log(1 + e^−|z|))        ∂loss/∂z = (σ(z) − t) / words
 *
 * e^−|z| is clipped at |z| = 20, so the gradient of a saturated logit is exact to 2e-9.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { wordCount } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { expNegative, logarithm } from "./exponential.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";

/** The sum is read by nothing else, so it can use the finest grid. */
const BITS = 22;

/**
 * @param target float32 or int32, as many words as there are logits.
 * @param share factor of the loss: 1 / n for one of n micro-batches.
 * @returns the loss, [1].
 */
export function binaryCrossEntropy(
  graph: SourceGraph,
  logits: ValueId,
  target: ValueId,
  name: string,
  { share = 1 }: { readonly share?: number } = {},
): ValueId {
  const shape = graph.shape(logits);
  const words = wordCount(shape);
  const targets = reshape(graph, target, shape);
  const zero = (map: MapBuilder): Register => map.immediate(0);
  // Two Maps: one has not room for both the exponential and the logarithm beside the rest.
  const exponential = elementwise(graph, `${name}.exp`, "exp", [logits], (map, [z]) => expNegative(map, map.abs(z!)));
  const terms = elementwise(graph, `${name}.terms`, "terms", [logits, targets, exponential], (map, [z, t, e]) => {
    const softened = logarithm(map, map.add(map.immediate(1), e!));
    const linear = map.sub(map.max(z!, zero(map)), map.flush(map.mul(z!, t!)));
    return map.flush(map.add(map.flush(linear), softened));
  });
  const sum = sumAxes(graph, terms, 0, shape.length, `${name}.sum`, { bits: BITS });
  return elementwise(
    graph,
    name,
    "binaryCrossEntropy",
    [sum],
    (map, [s]) => map.flush(map.mul(s!, map.immediate(share / words))),
    () => [
      [
        logits,
        elementwise(
          graph,
          `${graph.name(logits)}.grad`,
          "binaryCrossEntropyGradient",
          [logits, targets, exponential],
          (map, [z, t, e]) => {
            const quotient = map.div(
              map.select(map.less(z!, zero(map)), e!, map.immediate(1)),
              map.add(map.immediate(1), e!),
            );
            return map.flush(map.mul(map.sub(quotient, t!), map.immediate(share / words)));
          },
        ),
      ],
    ],
  );
}

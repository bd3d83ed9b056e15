/** Σ a · b along one axis, which stays with length 1: one Dot. Nothing is differentiated through it. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { Lowering } from "../graph/lower.ts";
import { Dtype } from "../program/descriptor.ts";
import { operandOf, type View } from "../program/view.ts";
import { gridBits } from "./matmul.ts";

/**
 * Which power of two a factor's grid comes from: the whole tensor's, as for every other product of it, or each line's own, for sums in
 * which small lines count as much as great ones.
 */
export type PeakScope = "tensor" | "line";

/** a and b have one shape. */
export function dotAlong(
  graph: SourceGraph,
  a: ValueId,
  b: ValueId,
  axis: number,
  name: string,
  scope: PeakScope = "tensor",
): ValueId {
  const length = graph.shape(a)[axis]!;
  const shape = graph.shape(a).with(axis, 1);
  return graph.add({
    name,
    layer: "dotAlong",
    inputs: [a, b],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const left = lowering.view(a);
      const right = lowering.view(b);
      const walk = ({ strides }: View) => [...strides.with(axis, 0), strides[axis]!];
      const none = new Array<number>(shape.length + 1).fill(0);
      const peakOf = (view: View) => {
        if (scope === "tensor") return operandOf(lowering.peak(view), none);
        const peak = linePeak(lowering, view, axis, `${name}.peak`);
        return operandOf(peak, [...peak.strides, 0]);
      };
      const leftPeak = peakOf(left);
      return lowering.emit(name, {
        family: "dot",
        dtype: Dtype.float32,
        shape,
        length,
        bits: gridBits(length),
        operands: [
          operandOf(left, walk(left)),
          operandOf(right, walk(right)),
          leftPeak,
          a === b ? leftPeak : peakOf(right),
        ],
      });
    },
  });
}

/** A power of two for each line along an axis. */
function linePeak(lowering: Lowering, view: View, axis: number, name: string): View {
  const { shape, strides } = view;
  return lowering.emit(name, {
    family: "peak",
    dtype: Dtype.float32,
    shape: shape.with(axis, 1),
    length: shape[axis]!,
    mode: 1,
    operands: [operandOf(view, [...strides.with(axis, 0), strides[axis]!])],
  });
}

/** Sums over axes: exact on the grid of a bound, rounded once. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype, sameShape, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";
import { reshape } from "./reshape.ts";

export interface SumOptions {
  /** Bits of the grid; by default 20, so that an engine shares one quantised copy with a Dot of the same tensor. */
  readonly bits?: number;
  /** A power of two that bounds the elements by construction; by default the tensor's measured peak. */
  readonly bound?: number;
}

const BITS = 20;

/** Sums axes `first … last − 1` away; the result has the remaining axes, or [1] when there are none. */
export function sumAxes(
  graph: SourceGraph,
  input: ValueId,
  first: number,
  last: number,
  name: string,
  options: SumOptions = {},
): ValueId {
  const before = graph.shape(input);
  const length = wordCount(before.slice(first, last));
  const outer = before.slice(0, first);
  const inner = before.slice(last);
  const rest = [...outer, ...inner];
  const shape = rest.length === 0 ? [1] : rest;
  return graph.add({
    name,
    layer: "sum",
    inputs: [input],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      // One reduced axis; a copy is made where the summed axes do not lie evenly behind one another.
      const view = lowering.reshape(lowering.view(input), [...outer, length, ...inner]);
      const peak =
        options.bound === undefined
          ? lowering.peak(view)
          : lowering.constant({
              dtype: Dtype.float32,
              shape: [1],
              words: new Uint32Array(Float32Array.of(options.bound).buffer),
            });
      return lowering.emit(name, {
        family: "sum",
        dtype: Dtype.float32,
        shape,
        length,
        bits: options.bits ?? BITS,
        operands: [
          operandOf(view, [...(rest.length === 0 ? [0] : view.strides.toSpliced(first, 1)), view.strides[first]!]),
          operandOf(peak, new Array<number>(shape.length + 1).fill(0)),
        ],
      });
    },
  });
}

/** Sums a tensor down to a shape that broadcasts to its own: the gradient of broadcasting. */
export function sumTo(graph: SourceGraph, input: ValueId, target: readonly number[], name: string): ValueId {
  const shape = graph.shape(input);
  if (sameShape(shape, target)) return input;
  const added = shape.length - target.length;
  const stretched = (axis: number) => axis < added || target[axis - added] !== shape[axis];
  // From the right, so that the axes still to be summed keep their numbers.
  let sum = input;
  for (let last = shape.length; last > 0; last--) {
    if (!stretched(last - 1)) continue;
    let first = last - 1;
    while (first > 0 && stretched(first - 1)) first--;
    sum = sumAxes(graph, sum, first, last, name);
    last = first + 1;
  }
  return reshape(graph, sum, target);
}

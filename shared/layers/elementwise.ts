/** The common part of layers that compute each element from one element of each input. */

import type { SourceGraph, SourceNode, ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";

/**
 * Adds a node that computes `expression` at every element of its inputs, broadcast to one shape.
 * @param bound of the elements' magnitudes, where the expression itself guarantees one.
 * @throws RangeError when the shapes do not broadcast (importers check before).
 */
export function elementwise(
  graph: SourceGraph,
  name: string,
  layer: string,
  inputs: readonly ValueId[],
  expression: NonNullable<SourceNode["expression"]>,
  gradient?: SourceNode["gradient"],
  bound?: number,
): ValueId {
  const shape = inputs.map((input) => graph.shape(input)).reduce((a, b) => requireShape(broadcastShape(a, b), layer));
  const id: ValueId = graph.add({
    name,
    layer,
    inputs,
    dtype: Dtype.float32,
    shape,
    expression,
    ...(gradient === undefined ? {} : { gradient }),
    ...(bound === undefined ? {} : { bound }),
    lower: (lowering) => lowering.elementwise(id),
  });
  return id;
}

function requireShape(shape: number[] | null, layer: string): readonly number[] {
  if (shape === null) throw new RangeError(`${layer}: the shapes do not broadcast`);
  return shape;
}

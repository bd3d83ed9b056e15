/** Random numbers in [0, 1), other ones in every step. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";

/** What evaluation takes for every random number: no stream gives it, so that layers know that nothing is to be random. */
export const NOT_RANDOM = 1;

/**
 * Multiples of 2^-24, uniform in [0, 1), independent between streams and steps.
 * @param stream tells this tensor's numbers from others'; `graph.takeStream()` gives one that no other has.
 */
export function random(graph: SourceGraph, shape: readonly number[], stream: number, name: string): ValueId {
  return graph.add({
    name,
    layer: "random",
    inputs: [],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => lowering.emit(name, { family: "random", dtype: Dtype.float32, shape, stream, operands: [] }),
  });
}

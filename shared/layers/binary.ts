/** What importers of operators on two broadcast tensors have in common. */

import type { ValueId } from "../graph/graph.ts";
import { broadcastShape } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import type { ImportContext } from "./importer.ts";

/** Integers up to here are float32 numbers. */
const EXACT_INTEGERS = 2 ** 24;

/**
 * The node's inputs, which must broadcast.
 * @param dtypes those allowed; integers are read as float32 numbers, so they must be exact as such.
 * @throws ModelError
 */
export function broadcastOperands(context: ImportContext, count: number, ...dtypes: Dtype[]): readonly ValueId[] {
  const { graph } = context;
  const operands = Array.from({ length: count }, (_, index) => context.tensor(index, ...dtypes));
  operands.reduce((shape: readonly number[], operand) => {
    const spread = broadcastShape(shape, graph.shape(operand));
    if (spread === null) {
      throw context.error(`[${shape}] and [${graph.shape(operand)}] do not broadcast`, "Correct the shapes.");
    }
    return spread;
  }, []);
  for (const operand of operands) {
    const { dtype, greatest, name } = graph.node(operand);
    if (dtype === Dtype.int32 && (greatest ?? Number.POSITIVE_INFINITY) > EXACT_INTEGERS) {
      throw context.error(`the integers "${name}" can be above 2^24`, "Use smaller integers.");
    }
  }
  return operands;
}

/** What the realisations of one program have in common: the graph and the values that operands refer to. */

import { OnnxType } from "../../onnx/model.ts";
import { Dtype, type Operand, type Reference } from "../../program/descriptor.ts";
import type { Program } from "../../program/program.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast } from "./nodes.ts";

export interface Context {
  readonly graph: GraphBuilder;
  readonly program: Program;
  /** The tensor that a reference names, in its natural shape. */
  resolve(reference: Reference): Value;
}

export const ONNX_TYPE = {
  [Dtype.float32]: OnnxType.float32,
  [Dtype.int32]: OnnxType.int32,
} as const satisfies Readonly<Record<Dtype, OnnxType>>;

/** The operand's tensor as numbers: int32 words are converted, rounding to the nearest. */
export function resolveNumbers(context: Context, operand: Operand): Value {
  return cast(context.graph, context.resolve(operand.reference), OnnxType.float32);
}

/** Operators that only make or pass on constants and shapes: Constant, Identity, Cast, Shape, Size. */

import { hostIntegers, hostTensor, isFloat } from "../onnx/host.ts";
import { OnnxType } from "../onnx/model.ts";
import { heldType } from "../onnx/widen.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { truthOf } from "./compare.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { isHost, layerName } from "./importer.ts";

export const importConstant: Importer = (context) => {
  const tensor = context.constantTensor("value");
  if (tensor !== null) return tensor;
  const integers = context.integers(null, "value_ints");
  if (integers !== null) return hostIntegers(integers);
  const floats = context.floats(null, "value_floats");
  if (floats !== null) return hostTensor(OnnxType.float32, [floats.length], floats);
  const integer = context.integer("value_int", Number.NaN);
  if (!Number.isNaN(integer)) return hostTensor(OnnxType.int64, [], [integer]);
  const float = context.float("value_float", Number.NaN);
  if (!Number.isNaN(float)) return hostTensor(OnnxType.float32, [], [float]);
  throw context.error("its value is neither a tensor nor numbers", "Store it as a tensor.");
};

export const importIdentity: Importer = (context) => context.input(0);

/**
 * Integers of data are int32 and truth values float32 0 and 1, whatever the model calls them; the dataset's bounds keep tokens within int32.
 * From integers to float32, a number is rounded; from numbers to truth values, everything but 0 is true. The other way is not possible:
 * nothing cuts a number to an integer.
 */
export const importCast: Importer = (context) => {
  const { graph } = context;
  const to = heldType(context.integer("to", 0));
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const { dtype, isTruth } = graph.node(input);
  const name = `${layerName(graph, input)}.cast`;
  if (to !== null && isFloat(to)) {
    return dtype === Dtype.float32 ? input : elementwise(graph, name, "cast", [input], (_, [x]) => x!);
  }
  if (to === OnnxType.bool) return isTruth === true ? input : truthOf(graph, input, name);
  if (dtype === Dtype.int32 && (to === OnnxType.int32 || to === OnnxType.int64)) return input;
  throw context.error(
    `a cast from ${dtype === Dtype.int32 ? "integers" : "float32"} to element type ${context.integer("to", 0)}`,
    "Integers can become float32, and either truth values; keep numbers in float32.",
  );
};

/** Shapes are static, so a shape is a constant. */
export const importShape: Importer = (context) => {
  const input = context.input(0);
  const shape = isHost(input) ? input.dimensions : context.graph.shape(input);
  return hostIntegers(shape.slice(context.integer("start", 0), context.integer("end", shape.length)));
};

export const importSize: Importer = (context) => {
  const input = context.input(0);
  return hostTensor(OnnxType.int64, [], [isHost(input) ? input.values.length : wordCount(context.graph.shape(input))]);
};

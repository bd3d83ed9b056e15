/** Operators that only make or pass on constants and shapes: Constant, Identity, Cast, Shape. */
import { Dtype } from "../program/descriptor.ts";
import { hostIntegers, hostTensor, isFloat } from "../program/onnx/host.ts";
import { OnnxType } from "../program/onnx/model.ts";
import type { Importer } from "./importer.ts";
import { isHost } from "./importer.ts";

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

/** Between integer types nothing changes: tokens are int32 here, and the dataset's bounds keep them in its range. */
export const importCast: Importer = (context) => {
  const to = context.integer("to", 0);
  const input = context.input(0);
  const isInteger = isHost(input) ? !isFloat(input.type) : context.graph.node(input).dtype === Dtype.int32;
  const same = isInteger ? to === OnnxType.int32 || to === OnnxType.int64 : to === OnnxType.float32;
  if (!same) {
    throw context.error(
      `a cast from ${isInteger ? "integers" : "float32"} to element type ${to}`,
      "Casts between int32 and int64 are supported; keep numbers in float32.",
    );
  }
  return input;
};

/** Shapes are static, so a shape is a constant. */
export const importShape: Importer = (context) => {
  const input = context.input(0);
  const shape = isHost(input) ? input.dimensions : context.graph.shape(input);
  return hostIntegers(shape.slice(context.integer("start", 0), context.integer("end", shape.length)));
};

/** Operators that only make or pass on constants and shapes: Constant, Identity, Cast, Shape, Concat. */
import { Dtype } from "../program/descriptor.ts";
import { OnnxType } from "../program/onnx/model.ts";
import type { Importer } from "./importer.ts";
import { isHost } from "./importer.ts";

export const importConstant: Importer = (context) => {
  const list = context.integers(null, "value_ints");
  if (list !== null) return { dimensions: [list.length], values: list };
  const value = context.constantTensor("value");
  if (value !== null) return value;
  const single = context.integer("value_int", Number.NaN);
  if (Number.isNaN(single)) throw context.error("its value is neither a tensor nor integers", "Store it as a tensor.");
  return { dimensions: [], values: [single] };
};

export const importIdentity: Importer = (context) => context.input(0);

/** Between integer types nothing changes: tokens are int32 here, and the dataset's bounds keep them in its range. */
export const importCast: Importer = (context) => {
  const to = context.integer("to", 0);
  const input = context.input(0);
  const isInteger = isHost(input) || context.graph.node(input).dtype === Dtype.int32;
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
  const values = shape.slice(context.integer("start", 0), context.integer("end", shape.length));
  return { dimensions: [values.length], values };
};

export const importConcat: Importer = (context) => {
  const parts: number[] = [];
  for (let index = 0; context.has(index); index++) {
    const input = context.input(index);
    if (!isHost(input) || input.dimensions.length !== 1) {
      throw context.error("it joins tensors", "Concat is supported for shapes only.");
    }
    parts.push(...input.values);
  }
  return { dimensions: [parts.length], values: parts };
};

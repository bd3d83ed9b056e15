/** Numbers that are known while a model is read: shapes, masks, tables, and what is computed from them. */
import { OnnxFormatError } from "./errors.ts";
import type { OnnxTensor } from "./model.ts";
import { OnnxType } from "./model.ts";

export interface HostTensor {
  /** Element type in the model; float32 also stands for the narrower float types. */
  readonly type: OnnxType;
  readonly dimensions: readonly number[];
  /** Row-major. int64 values beyond 2^53 are rounded; models use them as "to the end" only. */
  readonly values: Float64Array;
}

const FLOATS: ReadonlySet<OnnxType> = new Set([OnnxType.float32, OnnxType.float64]);

/** Whether the numbers are real ones, not integers or truth values. */
export function isFloat(type: OnnxType): boolean {
  return FLOATS.has(type);
}

export function hostTensor(type: OnnxType, dimensions: readonly number[], values: Iterable<number>): HostTensor {
  return { type, dimensions, values: Float64Array.from(values) };
}

/** A list of int64, such as a shape. */
export function hostIntegers(values: readonly number[]): HostTensor {
  return hostTensor(OnnxType.int64, [values.length], values);
}

/** @throws OnnxFormatError when its data does not fill its shape. */
export function hostOf({ name, type, dimensions, data }: OnnxTensor): HostTensor {
  const values = data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
  if (values.length !== dimensions.reduce((product, dimension) => product * dimension, 1)) {
    throw new OnnxFormatError(`tensor ${name}`, `its data does not fill the shape [${dimensions}]`);
  }
  return { type, dimensions, values };
}

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

/** A number as its type holds it: rounded to float32, cut to an integer (modulo the type's size), 0 or 1. */
const HELD: Readonly<Record<OnnxType, (value: number) => number>> = {
  [OnnxType.float32]: Math.fround,
  [OnnxType.float64]: (value) => value,
  [OnnxType.int64]: Math.trunc,
  [OnnxType.int32]: (value) => Math.trunc(value) | 0,
  [OnnxType.uint32]: (value) => Math.trunc(value) >>> 0,
  [OnnxType.int8]: (value) => (Math.trunc(value) << 24) >> 24,
  [OnnxType.uint8]: (value) => Math.trunc(value) & 0xff,
  [OnnxType.bool]: (value) => (value === 0 ? 0 : 1),
};

/** @param values any numbers; they become what the type holds. */
export function hostTensor(type: OnnxType, dimensions: readonly number[], values: Iterable<number>): HostTensor {
  return { type, dimensions, values: Float64Array.from(values, HELD[type]) };
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

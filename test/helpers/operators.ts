/** Short ways to write descriptors in tests. */
import type { Dtype, Operand, ReferenceKind } from "../../shared/program/descriptor.ts";

/** An operand that names its tensor by kind and index. */
export function operand(
  kind: ReferenceKind,
  index: number,
  count: number,
  strides: readonly number[],
  options: { readonly offset?: number; readonly dtype?: Dtype } = {},
): Operand {
  return { reference: { kind, index }, dtype: options.dtype ?? 0, count, offset: options.offset ?? 0, strides };
}

/** Words of float32 numbers. */
export function floats(...values: number[]): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

/** Words of int32 numbers. */
export function ints(...values: number[]): Uint32Array {
  return new Uint32Array(Int32Array.from(values).buffer);
}

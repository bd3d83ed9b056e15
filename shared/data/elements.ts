/** Numbers of every width from raw bytes. */
import { fromBfloat16, fromBinary16 } from "../numerics/narrowFloats.ts";
import type { DataFileError } from "./errors.ts";
import type { Values } from "./sourceArray.ts";

export type ElementType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64";

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};

/**
 * @param bytes a whole number of elements.
 * @param fail makes the error for the element at a position.
 * @throws what `fail` makes when a 64-bit integer is beyond 2^53, where float64 has gaps.
 */
export function decodeElements(
  type: ElementType,
  bytes: Uint8Array,
  isBigEndian: boolean,
  fail: (position: number, problem: string) => DataFileError,
): Values {
  const size = ELEMENT_BYTES[type];
  // A copy, aligned, in this machine's order of bytes. (A Buffer's own slice is none.)
  const { buffer } = isBigEndian && size > 1 ? reversed(bytes, size) : new Uint8Array(bytes);
  switch (type) {
    case "bool":
    case "uint8":
      return new Uint8Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "float16":
      return Float32Array.from(new Uint16Array(buffer), fromBinary16);
    case "bfloat16":
      return Float32Array.from(new Uint16Array(buffer), fromBfloat16);
    case "int64":
    case "uint64": {
      const integers = type === "int64" ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
      const values = new Float64Array(integers.length);
      for (const [position, integer] of integers.entries()) {
        values[position] = Number(integer);
        if (!Number.isSafeInteger(values[position])) throw fail(position, `the integer ${integer} is beyond 2^53`);
      }
      return values;
    }
  }
}

function reversed(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += size) {
    for (let byte = 0; byte < size; byte++) result[start + byte] = bytes[start + size - 1 - byte]!;
  }
  return result;
}

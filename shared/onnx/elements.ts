/** Array class of each element type. Words are little-endian in ONNX, as on every machine this runs on. */
import type { OnnxData } from "./model.ts";
import { OnnxType } from "./model.ts";

interface ElementArray {
  new (buffer: ArrayBuffer): OnnxData;
  new (length: number): OnnxData;
  readonly BYTES_PER_ELEMENT: number;
}

export const ELEMENT_ARRAY: Readonly<Record<OnnxType, ElementArray>> = {
  [OnnxType.float32]: Float32Array,
  [OnnxType.uint8]: Uint8Array,
  [OnnxType.int8]: Int8Array,
  [OnnxType.int32]: Int32Array,
  [OnnxType.int64]: BigInt64Array,
  [OnnxType.bool]: Uint8Array,
  [OnnxType.float64]: Float64Array,
  [OnnxType.uint32]: Uint32Array,
};

export function isOnnxType(type: number): type is OnnxType {
  return type in ELEMENT_ARRAY;
}

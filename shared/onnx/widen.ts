/**
 * Element types that are read as a wider one: float16 and bfloat16 as float32, 16-bit integers as int32, uint64 as int64. In a file they
 * lie in `raw_data`, or as bits in the field of 32-bit integers.
 */
import { fromBfloat16, fromBinary16 } from "../numerics/narrowFloats.ts";
import type { OnnxData } from "./model.ts";
import { OnnxType } from "./model.ts";

interface Narrow {
  readonly type: OnnxType;
  readonly bytes: number;
  /** From the bits, which are not negative. */
  readonly value: (bits: number) => number;
}

/** By the numbers of TensorProto.DataType. */
const NARROW: Readonly<Record<number, Narrow>> = {
  4: { type: OnnxType.int32, bytes: 2, value: (bits) => bits },
  5: { type: OnnxType.int32, bytes: 2, value: (bits) => (bits << 16) >> 16 },
  10: { type: OnnxType.float32, bytes: 2, value: fromBinary16 },
  16: { type: OnnxType.float32, bytes: 2, value: fromBfloat16 },
};
const UINT64 = 13;

/** The type that numbers of an element type are held in; null for types that are no numbers. */
export function heldType(type: number): OnnxType | null {
  if (type === UINT64) return OnnxType.int64;
  return Object.values(OnnxType).find((each) => each === type) ?? NARROW[type]?.type ?? null;
}

/**
 * The elements of a tensor of a narrow type, widened; null when the type is none of them or the bytes do not divide.
 * @param integers of the typed data field, where there are no raw bytes.
 */
export function widened(type: number, raw: Uint8Array | null, integers: readonly bigint[]): OnnxData | null {
  if (type === UINT64) {
    if (raw !== null && raw.length % 8 !== 0) return null;
    return raw === null ? BigInt64Array.from(integers) : new BigInt64Array(raw.slice().buffer);
  }
  const narrow = NARROW[type];
  if (narrow === undefined || (raw !== null && raw.length % narrow.bytes !== 0)) return null;
  const bits =
    raw === null
      ? integers.map((value) => Number(BigInt.asUintN(16, value)))
      : Array.from({ length: raw.length / 2 }, (_, i) => raw[2 * i]! | (raw[2 * i + 1]! << 8));
  const values = bits.map(narrow.value);
  return narrow.type === OnnxType.float32 ? Float32Array.from(values) : Int32Array.from(values);
}

/**
 * The part of an ONNX ModelProto that Touchstone reads and writes, as plain values.
 * Field numbers in `encode.ts` and `decode.ts` are those of the public `onnx.proto` (IR version 8).
 */

/** TensorProto.DataType numbers of the element types that may appear; `widen.ts` reads some others as these. */
export const OnnxType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  uint32: 12,
} as const;
export type OnnxType = (typeof OnnxType)[keyof typeof OnnxType];

/** Row-major elements; the array class follows the element type (bool is one byte an element). */
export type OnnxData = Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Int8Array | Uint8Array;

/** A constant tensor: an initializer, or the value of an attribute. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dimensions: readonly number[];
  readonly data: OnnxData;
}

/** Attribute values; `other` stands for kinds that are never interpreted (graphs, sparse tensors, types). */
export type OnnxAttribute =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: OnnxTensor }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "other"; readonly type: number };

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** Operator set domain; "" is ai.onnx. */
  readonly domain: string;
  /** Value names; "" is an omitted optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A graph input or output. A dimension is a number, or the name of a symbolic dimension ("" when anonymous). */
export interface OnnxValueInfo {
  readonly name: string;
  /** The element type's number, which may be one outside `OnnxType`; 0: not said. */
  readonly type: number;
  /** null: the rank is not known. */
  readonly dimensions: readonly (number | string)[] | null;
}

export interface OnnxOperatorSet {
  readonly domain: string;
  readonly version: number;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly operatorSets: readonly OnnxOperatorSet[];
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/**
 * The safetensors file format (github.com/huggingface/safetensors, "Format"): a u64 little-endian header length, a JSON header padded
 * with spaces to a multiple of 8, then the tensors' little-endian elements without holes. Touchstone's own files hold float32 and
 * int32; data and weights of others may have any dtype. The same tensors and metadata always give the same bytes.
 */
import { bytesToWords, wordsToBytes } from "../commitment/tile.ts";
import { TouchstoneError } from "../errors.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";
import { ELEMENT_BYTES, type ElementType } from "./elements.ts";

export interface NamedTensor extends Tensor {
  readonly name: string;
}

export type Metadata = Readonly<Record<string, string>>;

export interface SafetensorsFile {
  /** In the order of their data. */
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Metadata;
}

/**
 * truncated: shorter than it says; header: not the JSON it should be; name, dtype, shape: of one tensor; size: its bytes are not
 * those of its shape; offsets: its bytes overlap another's, leave a hole or lie outside the file.
 */
export type SafetensorsErrorReason = "truncated" | "header" | "name" | "dtype" | "shape" | "size" | "offsets";

export class SafetensorsError extends TouchstoneError {
  readonly code = "SAFETENSORS_MALFORMED";
  readonly reason: SafetensorsErrorReason;
  constructor(reason: SafetensorsErrorReason, detail: string, cause?: unknown) {
    super(`Malformed safetensors file: ${detail}.`, {
      cause,
      remedy:
        reason === "dtype"
          ? "Convert the tensor: this kind of file holds float32 (F32) and int32 (I32)."
          : "Write or fetch the file again.",
    });
    this.reason = reason;
  }
}

/** Bytes of the header at most, as in the reference implementation. */
const MAXIMUM_HEADER_BYTES = 100_000_000;
/** In Touchstone's own files, which strangers write: what a greater one becomes could fill the heap and end the process. */
const MAXIMUM_OWN_HEADER_BYTES = 2 ** 24;
const METADATA_KEY = "__metadata__";
const DTYPE_NAME: Readonly<Record<Dtype, string>> = { [Dtype.float32]: "F32", [Dtype.int32]: "I32" };
type Types = ReadonlyMap<unknown, ElementType>;
const WORD_TYPES: Types = new Map([
  ["F32", "float32"],
  ["I32", "int32"],
]);
const ALL_TYPES: Types = new Map([
  ...WORD_TYPES,
  ["BOOL", "bool"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["U16", "uint16"],
  ["I16", "int16"],
  ["U32", "uint32"],
  ["U64", "uint64"],
  ["I64", "int64"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F64", "float64"],
]);

/** A tensor of any dtype, as it stands in the file. */
export interface RawTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly bytes: Uint8Array;
}

interface Entry extends Omit<RawTensor, "bytes"> {
  readonly begin: number;
  readonly end: number;
}

/** @throws SafetensorsError when names are not unique, words are not those of the shape, or `readSafetensors` would refuse the header. */
export function writeSafetensors(tensors: readonly NamedTensor[], metadata: Metadata = {}): Uint8Array {
  // A map, not an object: an object would put integer-like names first.
  const header = new Map<string, string>();
  if (Object.keys(metadata).length > 0) header.set(METADATA_KEY, JSON.stringify(metadata));
  let offset = 0;
  for (const { name, dtype, shape, words } of tensors) {
    if (name === METADATA_KEY || header.has(name)) {
      throw new SafetensorsError("name", `the name ${JSON.stringify(name)} is taken`);
    }
    if (words.length !== wordCount(shape)) {
      throw new SafetensorsError("size", `${name} has ${words.length} words and the shape [${shape}]`);
    }
    const end = offset + words.length * 4;
    header.set(name, JSON.stringify({ dtype: DTYPE_NAME[dtype], shape, data_offsets: [offset, end] }));
    offset = end;
  }
  const members = [...header].map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  if (headerBytes > MAXIMUM_OWN_HEADER_BYTES) {
    throw new SafetensorsError(
      "header",
      `${tensors.length} tensors take a header of ${headerBytes} bytes, which nobody reads`,
    );
  }
  const file = new Uint8Array(8 + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(json, 8);
  let position = 8 + headerBytes;
  for (const { words } of tensors) {
    file.set(wordsToBytes(words), position);
    position += words.length * 4;
  }
  return file;
}

/** @throws SafetensorsError for anything but a complete file of float32 and int32 tensors. */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  const { tensors, metadata } = readFile(file, WORD_TYPES, MAXIMUM_OWN_HEADER_BYTES);
  return {
    tensors: tensors.map(({ name, type, shape, bytes }) => {
      return { name, dtype: type === "float32" ? Dtype.float32 : Dtype.int32, shape, words: bytesToWords(bytes) };
    }),
    metadata,
  };
}

/** The tensors of a file, in the order of their data. @throws SafetensorsError for anything but a complete file of numbers. */
export function readRawSafetensors(file: Uint8Array): readonly RawTensor[] {
  return readFile(file, ALL_TYPES, MAXIMUM_HEADER_BYTES).tensors;
}

function readFile(file: Uint8Array, types: Types, mostHeader: number): { tensors: RawTensor[]; metadata: Metadata } {
  if (file.length < 8) throw new SafetensorsError("truncated", `${file.length} bytes are too few`);
  const declared = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (declared > mostHeader) throw new SafetensorsError("header", `a header of ${declared} bytes`);
  const start = 8 + Number(declared);
  if (start > file.length) {
    throw new SafetensorsError("truncated", `the header of ${declared} bytes ends beyond the file of ${file.length}`);
  }
  const { entries, metadata } = parseHeader(file.subarray(8, start), types);
  requireContiguous(entries, file.length - start);
  const tensors = entries.map(({ name, type, shape, begin, end }) => {
    return { name, type, shape, bytes: file.subarray(start + begin, start + end) };
  });
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, types: Types): { entries: Entry[]; metadata: Metadata } {
  const header = parseObject(bytes);
  const entries: Entry[] = [];
  let metadata: Metadata = {};
  for (const [name, value] of Object.entries(header)) {
    if (name !== METADATA_KEY) entries.push(parseEntry(name, value, types));
    else if (isRecord(value) && Object.values(value).every((text) => typeof text === "string")) {
      metadata = value as Metadata;
    } else throw new SafetensorsError("header", "__metadata__ is not a map of strings");
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { entries, metadata };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new SafetensorsError("header", "the header is not JSON", error);
  }
  // The format demands that the header begins with the brace.
  if (!isRecord(header) || bytes[0] !== 0x7b) throw new SafetensorsError("header", "the header is not a JSON object");
  return header;
}

function parseEntry(name: string, value: unknown, types: Types): Entry {
  const shown = JSON.stringify(name);
  if (!isRecord(value)) throw new SafetensorsError("header", `the entry ${shown} is not an object`);
  const type = types.get(value.dtype);
  if (type === undefined) {
    throw new SafetensorsError("dtype", `${shown} has the dtype ${JSON.stringify(value.dtype)}`);
  }
  const { shape, data_offsets: offsets } = value;
  if (!isSizes(shape) || !Number.isSafeInteger(wordCount(shape) * 8)) {
    throw new SafetensorsError("shape", `${shown} has the shape ${JSON.stringify(shape)}`);
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw new SafetensorsError("offsets", `${shown} has the offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== wordCount(shape) * ELEMENT_BYTES[type]) {
    throw new SafetensorsError("size", `${shown} has the shape [${shape}] and ${end - begin} bytes`);
  }
  return { name, type, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function requireContiguous(entries: readonly Entry[], dataBytes: number): void {
  let offset = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== offset) {
      const fault = begin < offset ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new SafetensorsError("offsets", `${JSON.stringify(name)} at byte ${begin} ${fault}`);
    }
    offset = end;
  }
  if (offset > dataBytes) throw new SafetensorsError("truncated", `${dataBytes} of ${offset} bytes of data`);
  if (offset < dataBytes) throw new SafetensorsError("offsets", `${dataBytes - offset} bytes belong to no tensor`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

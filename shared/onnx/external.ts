/**
 * Models whose tensors lie in files of their own (TensorProto.data_location EXTERNAL): the data are read and put inside, so that one
 * file says everything. The rest of the file is copied byte for byte.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { NO_MODEL, OnnxFormatError } from "./errors.ts";

/** The bytes of a file beside the model, by the location that the model gives. */
export type ReadExternal = (location: string) => Promise<Uint8Array>;

type Rewrite = (bytes: Uint8Array) => Promise<Uint8Array>;

const EXTERNAL = 1;
/** What all tensors may have together: lengths in a file are 32-bit, and the same bytes may be named again and again. */
const MOST_BYTES = 2 ** 32 - 2 ** 24;

/** Bytes of an element, by the numbers of TensorProto.DataType. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  1: 4,
  2: 1,
  3: 1,
  4: 2,
  5: 2,
  6: 4,
  7: 8,
  9: 1,
  10: 2,
  11: 8,
  12: 4,
  13: 8,
  16: 2,
};

/** Counts what is put inside. @throws OnnxFormatError when it is too much. */
type Claim = (name: string, bytes: number) => void;

/** Where a tensor may be inside which message, by field number: from model to graph, nodes, attributes and functions. */
async function rewriteModel(bytes: Uint8Array, tensor: Rewrite): Promise<Uint8Array> {
  const attribute: Rewrite = (inner) => rewriteFields(inner, { 5: tensor, 10: tensor, 6: graph, 11: graph });
  const node: Rewrite = (inner) => rewriteFields(inner, { 5: attribute });
  const graph: Rewrite = (inner) => rewriteFields(inner, { 1: node, 5: tensor });
  const local: Rewrite = (inner) => rewriteFields(inner, { 7: node });
  return rewriteFields(bytes, { 7: graph, 25: local });
}

/** A message with some of its nested messages rewritten. */
async function rewriteFields(bytes: Uint8Array, rewrites: Readonly<Record<number, Rewrite>>): Promise<Uint8Array> {
  const reader = new BinaryReader(bytes);
  const parts: Uint8Array[] = [];
  let isChanged = false;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    const rewrite = wire === WireType.LengthDelimited ? rewrites[field] : undefined;
    if (rewrite === undefined) {
      reader.skip(wire, field);
      parts.push(bytes.subarray(start, reader.pos));
      continue;
    }
    const before = reader.bytes();
    const after = await rewrite(before);
    isChanged ||= after !== before;
    parts.push(new BinaryWriter().tag(field, wire).bytes(after).finish());
  }
  return isChanged ? joined(parts) : bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Place {
  readonly location: string;
  readonly offset: number;
  /** null: to the end of the file. */
  readonly length: number | null;
}

function placeOf(name: string, entries: ReadonlyMap<string, string>): Place {
  const whole = (key: string): number | null => {
    const said = entries.get(key);
    if (said === undefined) return null;
    const value = Number(said);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new OnnxFormatError(`tensor ${name}`, `its ${key} in another file is "${said}"`);
    }
    return value;
  };
  const location = entries.get("location");
  if (location === undefined) throw new OnnxFormatError(`tensor ${name}`, "it does not say which file holds its data");
  return { location, offset: whole("offset") ?? 0, length: whole("length") };
}

/** A TensorProto with its external data as `raw_data`. */
async function embedTensor(bytes: Uint8Array, read: ReadExternal, claim: Claim): Promise<Uint8Array> {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  const entries = new Map<string, string>();
  let [name, location, type, elements] = ["", 0, 0, 1];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    if (field === 13 && wire === WireType.LengthDelimited) {
      const [key, value] = readEntry(reader.bytes());
      entries.set(key, value);
      continue;
    }
    if (field === 14 && wire === WireType.Varint) {
      location = reader.int32();
      continue;
    }
    if (field === 8 && wire === WireType.LengthDelimited) name = reader.string();
    else if (field === 2 && wire === WireType.Varint) type = reader.int32();
    else if (field === 1 && wire === WireType.Varint) elements *= Number(reader.int64());
    else if (field === 1 && wire === WireType.LengthDelimited) elements *= productOf(reader.bytes());
    else reader.skip(wire, field);
    kept.push(bytes.subarray(start, reader.pos));
  }
  if (location !== EXTERNAL) return bytes;
  const place = placeOf(name, entries);
  const file = await read(place.location);
  const end = place.length === null ? file.length : place.offset + place.length;
  if (place.offset > end || end > file.length) {
    throw new OnnxFormatError(
      `tensor ${name}`,
      `its data lie at ${place.offset} … ${end} of "${place.location}", which has ${file.length} bytes`,
    );
  }
  const data = file.subarray(place.offset, end);
  const needed = elements * (ELEMENT_BYTES[type] ?? Number.NaN);
  // Types that are not known are refused when the model is read.
  if (!Number.isNaN(needed) && needed !== data.length) {
    throw new OnnxFormatError(
      `tensor ${name}`,
      `it needs ${needed} bytes, and ${data.length} of "${place.location}" are named`,
    );
  }
  claim(name, data.length);
  return joined([...kept, new BinaryWriter().tag(9, WireType.LengthDelimited).bytes(data).finish()]);
}

/** Of packed integers. */
function productOf(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let product = 1;
  while (reader.pos < reader.len) product *= Number(reader.int64());
  return product;
}

function readEntry(bytes: Uint8Array): [key: string, value: string] {
  const reader = new BinaryReader(bytes);
  let [key, value] = ["", ""];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else reader.skip(wire, field);
  }
  return [key, value];
}

/**
 * A model with all its data inside; the same bytes where they are already.
 * @param most bytes that may be put inside.
 * @throws OnnxFormatError when the bytes are not protobuf, or a tensor's data are not as many as its shape says or more than `most` in all;
 *   whatever `read` throws.
 */
export async function embedExternalData(
  bytes: Uint8Array,
  read: ReadExternal,
  most: number = MOST_BYTES,
): Promise<Uint8Array> {
  const files = new Map<string, Promise<Uint8Array>>();
  let reading: { readonly failure: unknown } | null = null;
  const readOnce: ReadExternal = async (location) => {
    const known = files.get(location) ?? read(location);
    files.set(location, known);
    try {
      return await known;
    } catch (failure) {
      reading = { failure };
      throw failure;
    }
  };
  let embedded = 0;
  const claim: Claim = (name, count) => {
    embedded += count;
    if (embedded > most) {
      throw new OnnxFormatError(`tensor ${name}`, `with it the data in other files are more than ${most} bytes`);
    }
  };
  try {
    return await rewriteModel(bytes, (tensor) => embedTensor(tensor, readOnce, claim));
  } catch (error) {
    const failed = reading as { readonly failure: unknown } | null;
    if (error instanceof OnnxFormatError || failed?.failure === error) throw error;
    // The reader of protobuf throws plain errors.
    throw new OnnxFormatError("ModelProto", NO_MODEL, { cause: error });
  }
}

/**
 * Bytes of operator and state descriptors, exactly docs/protocol.md, section 1.1. Big-endian, no padding, one encoding
 * for each value: decoding what was encoded gives an equal value, and encoding what was decoded gives the same bytes. Both
 * directions refuse a descriptor that is not decodable there.
 */
import { TouchstoneError } from "../errors.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import {
  type DotOperator,
  Dtype,
  FAMILY_CODE,
  type Family,
  type GatherOperator,
  type JoinRange,
  type MapInstruction,
  type Operand,
  type Operator,
  type PeakOperator,
  type Reference,
  type ReferenceKind,
  SAMPLE_ORDER,
  type SumByIndexOperator,
  type SumOperator,
  wordCount,
} from "./descriptor.ts";
import type { StateSource, StateTensor } from "./program.ts";

export const DESCRIPTOR_VERSION = 1;
export const MAX_RANK = 6;
export const MAX_BITS = 22;

/** Operands of each family: fixed, except Map's and Join's 1 to 8 (docs/numerics.md, section 2). */
export const OPERAND_COUNT: Readonly<Record<Exclude<Family, "map" | "join">, number>> = {
  dot: 4,
  sum: 2,
  sumByIndex: 3,
  peak: 1,
  gather: 2,
  batch: 0,
  schedule: 0,
  random: 0,
};
export const MAX_MAP_OPERANDS = 8;
export const MAX_JOIN_OPERANDS = 8;
export const MAX_MAP_IMMEDIATES = 64;
export const MAX_MAP_INSTRUCTIONS = 64;

/** short, long: the bytes; unknown: a code; range: a value that its field or its family does not allow. */
export type DescriptorErrorReason = "short" | "long" | "unknown" | "range";

/** A descriptor that does not follow docs/protocol.md, section 1.1; `offset` is the byte, or null for a value to be encoded. */
export class DescriptorError extends TouchstoneError {
  readonly code = "DESCRIPTOR_MALFORMED";
  readonly reason: DescriptorErrorReason;
  readonly offset: number | null;

  constructor(reason: DescriptorErrorReason, detail: string, offset: number | null = null) {
    super(`Malformed descriptor${offset === null ? "" : ` at byte ${offset}`}: ${detail}.`, {
      remedy: "Descriptors follow docs/protocol.md, section 1.1; compile the program again.",
    });
    this.reason = reason;
    this.offset = offset;
  }
}

/** What a state descriptor commits of a state tensor; names and shapes are not committed. */
export interface StateDescriptor {
  readonly dtype: Dtype;
  /** Words of the tensor. */
  readonly count: number;
  readonly source: StateSource;
}

const REFERENCE_CODE: Readonly<Record<ReferenceKind, number>> = { operator: 1, state: 2, constant: 3 };

const ORDER_OF_CODE = new Map(Object.entries(SAMPLE_ORDER).map(([order, code]) => [code, order as SampleOrder]));
const FAMILY_OF_CODE = new Map(Object.entries(FAMILY_CODE).map(([family, code]) => [code, family as Family]));
const REFERENCE_OF_CODE = new Map(Object.entries(REFERENCE_CODE).map(([kind, code]) => [code, kind as ReferenceKind]));

/** Whether operands of the family carry one more stride, for the reduced axis. */
export function reduces(family: Family): boolean {
  return family === "dot" || family === "sum" || family === "sumByIndex" || family === "peak";
}

/** Whether the operand bounds another one, in Dot, Sum or SumByIndex; such operands are read at reduced index 0. */
export function isPeakOperand(family: Family, position: number): boolean {
  return family === "dot" ? position >= 2 : (family === "sum" || family === "sumByIndex") && position === 1;
}

/** @throws DescriptorError when the operator is not decodable. */
export function encodeOperator(operator: Operator): Uint8Array {
  requireDecodable(operator);
  const writer = new Writer();
  writer.u8(DESCRIPTOR_VERSION, "version");
  writer.u8(FAMILY_CODE[operator.family], "family");
  writer.u8(operator.dtype, "dtype");
  writer.length(operator.shape.length, MAX_RANK, "rank");
  for (const dimension of operator.shape) writer.u32(dimension, "dimension");
  const { length, a, b, c } = attributes(operator);
  writer.u32(length, "length");
  writer.u8(a, "attribute A");
  writer.u32(b, "attribute B");
  writer.u32(c, "attribute C");
  const strides = operator.shape.length + (reduces(operator.family) ? 1 : 0);
  writer.u8(operator.operands.length, "operand count");
  for (const operand of operator.operands) writeOperand(writer, operand, strides);
  if (operator.family === "map") {
    writer.length(operator.immediates.length, MAX_MAP_IMMEDIATES, "immediates");
    for (const immediate of operator.immediates) writer.u32(immediate, "immediate");
    writer.length(operator.instructions.length, MAX_MAP_INSTRUCTIONS, "instructions");
    for (const instruction of operator.instructions) for (const field of instruction) writer.u8(field, "instruction");
  }
  if (operator.family === "join") {
    for (const { start, extent } of operator.ranges) {
      writer.u32(start, "start");
      writer.u32(extent, "extent");
    }
  }
  return writer.bytes();
}

/** @throws DescriptorError when the bytes are not exactly a decodable descriptor. */
export function decodeOperator(bytes: Uint8Array): Operator {
  const reader = new Reader(bytes);
  reader.expect(DESCRIPTOR_VERSION, "version");
  const family = reader.code(FAMILY_OF_CODE, "family");
  const dtype = reader.dtype();
  const shape = reader.list(reader.bounded(0, MAX_RANK, "rank"), () => reader.u32());
  const length = reader.u32();
  const a = reader.u8();
  const b = reader.u32();
  const c = reader.u32();
  const operandCount = reader.u8();
  const strides = shape.length + (reduces(family) ? 1 : 0);
  const operands = reader.list(operandCount, () => readOperand(reader, strides));
  const program =
    family === "map"
      ? {
          immediates: reader.list(reader.bounded(0, MAX_MAP_IMMEDIATES, "immediates"), () => reader.u32()),
          instructions: reader.list(reader.bounded(0, MAX_MAP_INSTRUCTIONS, "instructions"), () =>
            reader.instruction(),
          ),
        }
      : null;
  const ranges =
    family === "join" ? reader.list(operandCount, () => ({ start: reader.u32(), extent: reader.u32() })) : [];
  reader.end();
  const operator = assemble(family, { dtype, shape, length, a, b, c, operands, program, ranges });
  if (operator.operands.length !== operandCount)
    throw new DescriptorError("range", `${family} with ${operandCount} operands`);
  const kept = attributes(operator);
  if (kept.length !== length || kept.a !== a || kept.b !== b || kept.c !== c)
    throw new DescriptorError("range", `an attribute that ${family} does not have is not 0`);
  requireDecodable(operator);
  return operator;
}

/** What is committed of a state tensor. */
export function stateDescriptor(tensor: StateTensor): StateDescriptor {
  return { dtype: tensor.dtype, count: wordCount(tensor.shape), source: tensor.source };
}

/** @throws DescriptorError when a number does not fit its field or the tensor is empty. */
export function encodeState(state: StateDescriptor): Uint8Array {
  requireWords(state.count);
  const writer = new Writer();
  writer.u8(DESCRIPTOR_VERSION, "version");
  writer.u8(state.dtype, "dtype");
  writer.u32(state.count, "count");
  writer.u8(state.source === null ? 0 : 1, "source kind");
  writer.u32(state.source ?? 0, "source index");
  return writer.bytes();
}

/** @throws DescriptorError when the bytes are too short, too long or hold an unknown code. */
export function decodeState(bytes: Uint8Array): StateDescriptor {
  const reader = new Reader(bytes);
  reader.expect(DESCRIPTOR_VERSION, "version");
  const dtype = reader.dtype();
  const count = reader.u32();
  const kind = reader.bounded(0, 1, "source kind");
  const index = reader.u32();
  reader.end();
  requireWords(count);
  if (kind === 0 && index !== 0) throw new DescriptorError("range", "an unchanged state tensor names a source");
  return { dtype, count, source: kind === 0 ? null : index };
}

/** The conditions of docs/protocol.md, section 1.1, that do not depend on the bytes. */
function requireDecodable(operator: Operator): void {
  const { family, dtype, shape, operands } = operator;
  const requires = (condition: boolean, detail: string): void => {
    if (!condition) throw new DescriptorError("range", `${family} ${detail}`);
  };
  requires(shape.length <= MAX_RANK, `of rank ${shape.length}`);
  requires(!shape.includes(0), `of shape [${shape}]`);
  requires(wordCount(shape) < 2 ** 32, `of ${wordCount(shape)} words`);
  requires(dtype === Dtype.float32 || ANY_DTYPE.has(family), `of dtype ${dtype}`);
  const [least, most] = operandBounds(family);
  requires(operands.length >= least && operands.length <= most, `with ${operands.length} operands`);
  if ("length" in operator) requires(operator.length >= 1, `over ${operator.length} positions`);
  if ("bits" in operator) requires(operator.bits >= 1 && operator.bits <= MAX_BITS, `of ${operator.bits} bits`);
  if (family === "sumByIndex") requires(operator.axis < shape.length, `over dimension ${operator.axis}`);
  if (family === "batch") requires(shape.length === 2, `of rank ${shape.length}`);
  if (family === "join") {
    requires(operator.axis < shape.length, `along dimension ${operator.axis}`);
    requires(operator.ranges.length === operands.length, `of ${operands.length} operands and other ranges`);
  }
}

/** Families whose output may be int32 too. */
const ANY_DTYPE: ReadonlySet<Family> = new Set(["gather", "batch", "join", "random"]);

function operandBounds(family: Family): readonly [least: number, most: number] {
  if (family === "map") return [1, MAX_MAP_OPERANDS];
  if (family === "join") return [1, MAX_JOIN_OPERANDS];
  return [OPERAND_COUNT[family], OPERAND_COUNT[family]];
}

function requireWords(count: number): void {
  if (count === 0) throw new DescriptorError("range", "a state tensor without words");
}

interface Attributes {
  readonly length: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

function attributes(operator: Operator): Attributes {
  switch (operator.family) {
    case "map":
      return { length: 0, a: 0, b: 0, c: 0 };
    case "dot":
    case "sum":
      return { length: operator.length, a: operator.bits, b: 0, c: 0 };
    case "sumByIndex":
      return { length: operator.length, a: operator.bits, b: operator.axis, c: 0 };
    case "peak":
      return { length: operator.length, a: operator.mode, b: 0, c: 0 };
    case "gather":
      return { length: 0, a: 0, b: operator.rowStride, c: operator.rows };
    case "batch":
      return { length: 0, a: SAMPLE_ORDER[operator.order], b: operator.offset, c: 0 };
    case "schedule":
      return { length: 0, a: 0, b: operator.column, c: 0 };
    case "join":
      return { length: 0, a: 0, b: operator.axis, c: 0 };
    case "random":
      return { length: 0, a: 0, b: operator.stream, c: 0 };
  }
}

interface Fields extends Attributes {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly operands: readonly Operand[];
  readonly program: { immediates: readonly number[]; instructions: readonly MapInstruction[] } | null;
  readonly ranges: readonly JoinRange[];
}

// SAFETY: decodeOperator passes the result to requireDecodable, which checks the length of each operand tuple.
function assemble(family: Family, fields: Fields): Operator {
  const { dtype, shape, length, a, b, c, operands, program, ranges } = fields;
  const base = { dtype, shape };
  switch (family) {
    case "map":
      return { family, ...base, operands, ...program! };
    case "dot":
      return { family, ...base, length, bits: a, operands: operands as DotOperator["operands"] };
    case "sum":
      return { family, ...base, length, bits: a, operands: operands as SumOperator["operands"] };
    case "sumByIndex":
      return { family, ...base, length, bits: a, axis: b, operands: operands as SumByIndexOperator["operands"] };
    case "peak":
      if (a !== 0 && a !== 1) throw new DescriptorError("unknown", `Peak mode ${a}`);
      return { family, ...base, length, mode: a, operands: operands as PeakOperator["operands"] };
    case "gather":
      return { family, ...base, rowStride: b, rows: c, operands: operands as GatherOperator["operands"] };
    case "batch":
      return { family, ...base, order: orderOf(a), offset: b, operands: [] };
    case "schedule":
      return { family, ...base, column: b, operands: [] };
    case "join":
      return { family, ...base, axis: b, operands, ranges };
    case "random":
      return { family, ...base, stream: b, operands: [] };
  }
}

function orderOf(code: number): SampleOrder {
  const order = ORDER_OF_CODE.get(code);
  if (order === undefined) throw new DescriptorError("unknown", `sample order ${code}`);
  return order;
}

function writeOperand(writer: Writer, operand: Operand, strides: number): void {
  if (operand.strides.length !== strides)
    throw new DescriptorError("range", `${operand.strides.length} strides instead of ${strides}`);
  writer.u8(REFERENCE_CODE[operand.reference.kind], "reference kind");
  writer.u8(operand.dtype, "operand dtype");
  writer.u32(operand.reference.index, "reference index");
  writer.u32(operand.count, "operand count");
  writer.u32(operand.offset, "operand offset");
  for (const stride of operand.strides) writer.i32(stride, "stride");
}

function readOperand(reader: Reader, strides: number): Operand {
  const kind = reader.code(REFERENCE_OF_CODE, "reference kind");
  const dtype = reader.dtype();
  const reference: Reference = { kind, index: reader.u32() };
  return {
    reference,
    dtype,
    count: reader.u32(),
    offset: reader.u32(),
    strides: reader.list(strides, () => reader.i32()),
  };
}

class Writer {
  readonly #bytes: number[] = [];

  u8(value: number, field: string): void {
    this.#integer(value, 0, 0xff, field);
    this.#bytes.push(value);
  }

  u32(value: number, field: string): void {
    this.#integer(value, 0, 0xffffffff, field);
    this.#bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  }

  i32(value: number, field: string): void {
    this.#integer(value, -0x80000000, 0x7fffffff, field);
    this.u32(value >>> 0, field);
  }

  length(value: number, most: number, field: string): void {
    this.#integer(value, 0, most, field);
    this.u8(value, field);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #integer(value: number, least: number, most: number, field: string): void {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new DescriptorError("range", `${field} ${value} is not an integer in ${least} … ${most}`);
  }
}

class Reader {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  instruction(): MapInstruction {
    return [this.u8(), this.u8(), this.u8(), this.u8()];
  }

  expect(value: number, field: string): void {
    this.bounded(value, value, field);
  }

  bounded(least: number, most: number, field: string): number {
    const value = this.u8();
    if (value < least || value > most) throw this.#unknown(field, value);
    return value;
  }

  code<T>(codes: ReadonlyMap<number, T>, field: string): T {
    const code = this.u8();
    const value = codes.get(code);
    if (value === undefined) throw this.#unknown(field, code);
    return value;
  }

  dtype(): Dtype {
    return this.bounded(Dtype.float32, Dtype.int32, "dtype") as Dtype;
  }

  list<T>(length: number, item: () => T): T[] {
    return Array.from({ length }, item);
  }

  end(): void {
    const rest = this.#view.byteLength - this.#offset;
    if (rest !== 0) throw new DescriptorError("long", `${rest} trailing bytes`, this.#offset);
  }

  #advance(size: number): number {
    const at = this.#offset;
    if (at + size > this.#view.byteLength)
      throw new DescriptorError("short", `it ends after ${this.#view.byteLength} bytes`, at);
    this.#offset += size;
    return at;
  }

  #unknown(field: string, value: number): DescriptorError {
    return new DescriptorError("unknown", `${field} ${value}`, this.#offset - 1);
  }
}

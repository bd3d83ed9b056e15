/** ModelProto bytes → typed model. Unknown fields are skipped, as protobuf asks. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ELEMENT_ARRAY, isOnnxType } from "./elements.ts";
import { NO_MODEL, OnnxFormatError } from "./errors.ts";
import { type AttributeReference, type FunctionNode, type OnnxFunction, withoutCalls } from "./functions.ts";
import type {
  OnnxAttribute,
  OnnxData,
  OnnxGraph,
  OnnxModel,
  OnnxOperatorSet,
  OnnxTensor,
  OnnxValueInfo,
} from "./model.ts";
import { OnnxType } from "./model.ts";
import { heldType, widened } from "./widen.ts";

/** More elements than any tensor of a model that fits in memory; keeps products of dimensions exact. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * Reads a model; calls of its local functions are replaced by what they do (`functions.ts`).
 * @throws OnnxFormatError when the bytes are truncated, are not a ModelProto with a graph, or hold a tensor whose data
 * is external (`external.ts` puts it inside), of an element type that is no number, or of another size than its shape says.
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  try {
    return readModel(new BinaryReader(bytes));
  } catch (error) {
    if (error instanceof OnnxFormatError) throw error;
    throw new OnnxFormatError("ModelProto", NO_MODEL, { cause: error });
  }
}

type FieldReader = (reader: BinaryReader, wire: WireType) => void;

/** Reads one message's fields; a field absent from the table is skipped. */
function readFields(reader: BinaryReader, fields: Readonly<Record<number, FieldReader>>): void {
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const read = fields[field];
    if (read === undefined) reader.skip(wire, field);
    else read(reader, wire);
  }
}

function expectWire(actual: WireType, expected: WireType): void {
  if (actual !== expected) throw new RangeError(`wire type ${actual} where ${expected} belongs`);
}

/** A nested message as its own reader. */
function nested<T>(parse: (reader: BinaryReader) => T, take: (value: T) => void): FieldReader {
  return (reader, wire) => {
    expectWire(wire, WireType.LengthDelimited);
    take(parse(new BinaryReader(reader.bytes())));
  };
}

function text(take: (value: string) => void): FieldReader {
  return (reader, wire) => {
    expectWire(wire, WireType.LengthDelimited);
    take(reader.string());
  };
}

function integer(take: (value: number) => void): FieldReader {
  return integers((value) => take(safeNumber(value)));
}

/** A repeated integer field, packed or not. */
function integers(take: (value: bigint) => void): FieldReader {
  return (reader, wire) => {
    if (wire === WireType.LengthDelimited) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) take(BigInt(packed.int64()));
    } else {
      expectWire(wire, WireType.Varint);
      take(BigInt(reader.int64()));
    }
  };
}

/** A repeated fixed-width number field, packed or not. */
function fixed(wireType: WireType, read: (reader: BinaryReader) => number, take: (value: number) => void): FieldReader {
  return (reader, wire) => {
    if (wire === WireType.LengthDelimited) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) take(read(packed));
    } else {
      expectWire(wire, wireType);
      take(read(reader));
    }
  };
}

const floats = (take: (value: number) => void) => fixed(WireType.Bit32, (reader) => reader.float(), take);
const doubles = (take: (value: number) => void) => fixed(WireType.Bit64, (reader) => reader.double(), take);

function safeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`integer ${value} is beyond 2^53`);
  return number;
}

function readModel(reader: BinaryReader): OnnxModel {
  let irVersion = 0;
  let producer = "";
  let graph: ReadGraph | null = null;
  const functions: OnnxFunction[] = [];
  const operatorSets: OnnxOperatorSet[] = [];
  readFields(reader, {
    1: integer((value) => {
      irVersion = value;
    }),
    2: text((value) => {
      producer = value;
    }),
    7: nested(readGraph, (value) => {
      graph = value;
    }),
    8: nested(readOperatorSet, (value) => operatorSets.push(value)),
    25: nested(readFunction, (value) => functions.push(value)),
  });
  // The callback above is not seen by the type checker.
  const read = graph as ReadGraph | null;
  if (read === null) throw new OnnxFormatError("ModelProto", "there is no graph in it");
  if (operatorSets.length === 0) throw new OnnxFormatError("ModelProto", "it declares no operator set");
  return { irVersion, producer, operatorSets, graph: { ...read, nodes: withoutCalls(read.nodes, functions) } };
}

function readOperatorSet(reader: BinaryReader): OnnxOperatorSet {
  let domain = "";
  let version = 0;
  readFields(reader, {
    1: text((value) => {
      domain = value;
    }),
    2: integer((value) => {
      version = value;
    }),
  });
  return { domain: domain === "ai.onnx" ? "" : domain, version };
}

interface ReadGraph extends Omit<OnnxGraph, "nodes"> {
  readonly nodes: readonly FunctionNode[];
}

function readFunction(reader: BinaryReader): OnnxFunction {
  let name = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: FunctionNode[] = [];
  const defaults: Record<string, OnnxAttribute> = Object.create(null) as Record<string, OnnxAttribute>;
  readFields(reader, {
    1: text((value) => {
      name = value;
    }),
    4: text((value) => inputs.push(value)),
    5: text((value) => outputs.push(value)),
    7: nested(readNode, (value) => nodes.push(value)),
    10: text((value) => {
      domain = value === "ai.onnx" ? "" : value;
    }),
    11: nested(readAttribute, ({ name, attribute }) => {
      if (attribute.kind !== "reference") defaults[name] = attribute;
    }),
  });
  return { name, domain, inputs, outputs, defaults, nodes };
}

function readGraph(reader: BinaryReader): ReadGraph {
  let name = "";
  const nodes: FunctionNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  readFields(reader, {
    1: nested(readNode, (value) => nodes.push(value)),
    2: text((value) => {
      name = value;
    }),
    5: nested(readTensor, (value) => initializers.push(value)),
    11: nested(readValueInfo, (value) => inputs.push(value)),
    12: nested(readValueInfo, (value) => outputs.push(value)),
    15: () => {
      throw new OnnxFormatError(`graph ${name}`, "sparse initializers are not supported");
    },
  });
  return { name, nodes, initializers, inputs, outputs };
}

function readNode(reader: BinaryReader): FunctionNode {
  let name = "";
  let operator = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = Object.create(null) as Record<string, OnnxAttribute | AttributeReference>;
  readFields(reader, {
    1: text((value) => inputs.push(value)),
    2: text((value) => outputs.push(value)),
    3: text((value) => {
      name = value;
    }),
    4: text((value) => {
      operator = value;
    }),
    5: nested(readAttribute, (value) => {
      attributes[value.name] = value.attribute;
    }),
    7: text((value) => {
      domain = value === "ai.onnx" ? "" : value;
    }),
  });
  return { name, operator, domain, inputs, outputs, attributes };
}

/** The type of an attribute written before IR version 2, which had no type field, by the field that it fills. */
const TYPE_OF_FIELD: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 3, 5: 4, 7: 6, 8: 7, 9: 8 };

function readAttribute(reader: BinaryReader): { name: string; attribute: OnnxAttribute | AttributeReference } {
  let name = "";
  let type = 0;
  let filled = 0;
  let float = 0;
  let int = 0n;
  let string = "";
  let tensor: OnnxTensor | null = null;
  let reference = "";
  const floatList: number[] = [];
  const intList: bigint[] = [];
  const stringList: string[] = [];
  readFields(reader, {
    1: text((value) => {
      name = value;
    }),
    2: floats((value) => {
      float = value;
      filled = 2;
    }),
    3: integers((value) => {
      int = value;
      filled = 3;
    }),
    4: text((value) => {
      string = value;
      filled = 4;
    }),
    5: nested(readTensor, (value) => {
      tensor = value;
      filled = 5;
    }),
    7: floats((value) => {
      floatList.push(value);
      filled = 7;
    }),
    8: integers((value) => {
      intList.push(value);
      filled = 8;
    }),
    9: text((value) => {
      stringList.push(value);
      filled = 9;
    }),
    20: integer((value) => {
      type = value;
    }),
    21: text((value) => {
      reference = value;
    }),
  });
  if (reference !== "") return { name, attribute: { kind: "reference", name: reference } };
  switch (type === 0 ? TYPE_OF_FIELD[filled] : type) {
    case 1:
      return { name, attribute: { kind: "float", value: float } };
    case 2:
      return { name, attribute: { kind: "int", value: safeNumber(int) } };
    case 3:
      return { name, attribute: { kind: "string", value: string } };
    case 4:
      if (tensor === null) throw new OnnxFormatError(`attribute ${name}`, "its tensor is missing");
      return { name, attribute: { kind: "tensor", value: tensor } };
    case 6:
      return { name, attribute: { kind: "floats", value: floatList } };
    case 7:
      return { name, attribute: { kind: "ints", value: intList.map(safeNumber) } };
    case 8:
      return { name, attribute: { kind: "strings", value: stringList } };
    default:
      return { name, attribute: { kind: "other", type } };
  }
}

function readValueInfo(reader: BinaryReader): OnnxValueInfo {
  let name = "";
  let type = 0;
  let dimensions: (number | string)[] | null = null;
  const readDimension = (dimension: BinaryReader): number | string => {
    let size: number | string = "";
    readFields(dimension, {
      1: integer((value) => {
        size = value;
      }),
      2: text((value) => {
        size = value;
      }),
    });
    return size;
  };
  const readShape = (shape: BinaryReader): (number | string)[] => {
    const sizes: (number | string)[] = [];
    readFields(shape, { 1: nested(readDimension, (value) => sizes.push(value)) });
    return sizes;
  };
  const readTensorType = (tensorType: BinaryReader): void =>
    readFields(tensorType, {
      1: integer((value) => {
        type = value;
      }),
      2: nested(readShape, (value) => {
        dimensions = value;
      }),
    });
  const readType = (typeProto: BinaryReader): void =>
    readFields(typeProto, { 1: nested(readTensorType, () => undefined) });
  readFields(reader, {
    1: text((value) => {
      name = value;
    }),
    2: nested(readType, () => undefined),
  });
  return { name, type, dimensions };
}

function readTensor(reader: BinaryReader): OnnxTensor {
  let name = "";
  let type = 0;
  let raw: Uint8Array | null = null;
  let external = false;
  const dimensions: number[] = [];
  const numbers: number[] = [];
  const bigints: bigint[] = [];
  readFields(reader, {
    1: integers((value) => dimensions.push(safeNumber(value))),
    2: integer((value) => {
      type = value;
    }),
    4: floats((value) => numbers.push(value)),
    5: integers((value) => bigints.push(value)),
    7: integers((value) => bigints.push(value)),
    8: text((value) => {
      name = value;
    }),
    9: (field, wire) => {
      expectWire(wire, WireType.LengthDelimited);
      raw = field.bytes();
    },
    10: doubles((value) => numbers.push(value)),
    11: integers((value) => bigints.push(value)),
    14: integer((value) => {
      external = value === 1;
    }),
  });
  const where = `tensor ${name}`;
  if (external) throw new OnnxFormatError(where, "its data is in another file");
  const held = heldType(type);
  if (held === null) throw new OnnxFormatError(where, `element type ${type} is not supported`);
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (dimensions.some((dimension) => dimension < 0) || elements > MAX_ELEMENTS) {
    throw new OnnxFormatError(where, `its shape [${dimensions}] is not possible`);
  }
  const data = isOnnxType(type) ? tensorData(type, raw, numbers, bigints) : widened(type, raw, bigints);
  if (data === null || data.length !== elements) {
    throw new OnnxFormatError(where, `its data does not fill the shape [${dimensions}]`);
  }
  return { name, type: held, dimensions, data };
}

/** The elements as an array of their own (raw data lies unaligned in the file), or null when the bytes do not divide. */
function tensorData(
  type: OnnxType,
  raw: Uint8Array | null,
  numbers: readonly number[],
  bigints: readonly bigint[],
): OnnxData | null {
  const ElementArray = ELEMENT_ARRAY[type];
  if (raw !== null) {
    if (raw.length % ElementArray.BYTES_PER_ELEMENT !== 0) return null;
    return new ElementArray(new Uint8Array(raw).buffer);
  }
  if (type === OnnxType.int64) return BigInt64Array.from(bigints);
  const data = new ElementArray(numbers.length + bigints.length) as Exclude<OnnxData, BigInt64Array>;
  data.set(numbers.length > 0 ? numbers : bigints.map(Number));
  return data;
}

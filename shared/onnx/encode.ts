/** Typed model → ModelProto bytes. The same model always gives the same bytes. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ELEMENT_ARRAY } from "./elements.ts";
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from "./model.ts";

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

/**
 * ModelProto bytes of a model. Tensors are written as `raw_data`.
 * @throws RangeError when a tensor's data does not match its element type (a programming error).
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(model.irVersion);
  writeString(writer, 2, model.producer);
  message(writer, 7, () => writeGraph(writer, model.graph));
  for (const set of model.operatorSets) {
    message(writer, 8, () => {
      writeString(writer, 1, set.domain);
      writer.tag(2, WireType.Varint).int64(set.version);
    });
  }
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

function writeString(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node));
  writeString(writer, 2, graph.name);
  for (const tensor of graph.initializers) message(writer, 5, () => writeTensor(writer, tensor));
  for (const input of graph.inputs) message(writer, 11, () => writeValueInfo(writer, input));
  for (const output of graph.outputs) message(writer, 12, () => writeValueInfo(writer, output));
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  // An empty input name is meaningful (an omitted optional input), so it is written too.
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writeString(writer, 3, node.name);
  writeString(writer, 4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    message(writer, 5, () => writeAttribute(writer, name, attribute));
  }
  writeString(writer, 7, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  writeString(writer, 1, name);
  switch (attribute.kind) {
    case "float":
      writer.tag(2, WireType.Bit32).float(attribute.value);
      break;
    case "int":
      writer.tag(3, WireType.Varint).int64(attribute.value);
      break;
    case "string":
      writer.tag(4, WireType.LengthDelimited).string(attribute.value);
      break;
    case "tensor":
      message(writer, 5, () => writeTensor(writer, attribute.value));
      break;
    case "floats":
      for (const value of attribute.value) writer.tag(7, WireType.Bit32).float(value);
      break;
    case "ints":
      for (const value of attribute.value) writer.tag(8, WireType.Varint).int64(value);
      break;
    case "strings":
      for (const value of attribute.value) writer.tag(9, WireType.LengthDelimited).string(value);
      break;
    case "other":
      throw new RangeError(`attribute ${name} of type ${attribute.type} cannot be written`);
  }
  writer.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE[attribute.kind]);
}

function writeTensor(writer: BinaryWriter, tensor: OnnxTensor): void {
  const elements = tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
  if (!(tensor.data instanceof ELEMENT_ARRAY[tensor.type]) || tensor.data.length !== elements) {
    throw new RangeError(`tensor ${tensor.name}: the data does not match type ${tensor.type} [${tensor.dimensions}]`);
  }
  for (const dimension of tensor.dimensions) writer.tag(1, WireType.Varint).int64(dimension);
  writer.tag(2, WireType.Varint).int32(tensor.type);
  writeString(writer, 8, tensor.name);
  writer
    .tag(9, WireType.LengthDelimited)
    .bytes(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
}

function writeValueInfo(writer: BinaryWriter, info: OnnxValueInfo): void {
  writeString(writer, 1, info.name);
  // Outputs need no type: readers infer it.
  if (info.type === 0) return;
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.tag(1, WireType.Varint).int32(info.type);
      if (info.dimensions !== null) message(writer, 2, () => writeShape(writer, info.dimensions ?? []));
    }),
  );
}

function writeShape(writer: BinaryWriter, dimensions: readonly (number | string)[]): void {
  for (const dimension of dimensions) {
    message(writer, 1, () => {
      if (typeof dimension === "number") writer.tag(1, WireType.Varint).int64(dimension);
      else writeString(writer, 2, dimension);
    });
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { OnnxFormatError } from "../../shared/onnx/errors.ts";
import type { OnnxModel } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";

/** y = transpose(x · w + b), with every attribute kind and most element types somewhere in it. */
const model: OnnxModel = {
  irVersion: 8,
  producer: "touchstone",
  operatorSets: [{ domain: "", version: 17 }],
  graph: {
    name: "affine",
    nodes: [
      {
        name: "constant",
        operator: "Constant",
        domain: "",
        inputs: [],
        outputs: ["b"],
        attributes: {
          value: {
            kind: "tensor",
            value: { name: "", type: OnnxType.float32, dimensions: [2], data: Float32Array.of(0.5, -1.5) },
          },
        },
      },
      {
        name: "gemm",
        operator: "Gemm",
        domain: "",
        inputs: ["x", "w", "b"],
        outputs: ["z"],
        attributes: { alpha: { kind: "float", value: 2 }, transB: { kind: "int", value: 1 } },
      },
      {
        name: "transpose",
        operator: "Transpose",
        domain: "",
        inputs: ["z"],
        outputs: ["y"],
        attributes: { perm: { kind: "ints", value: [1, 0] } },
      },
    ],
    initializers: [
      { name: "w", type: OnnxType.float32, dimensions: [2, 3], data: Float32Array.of(1, 2, 3, -1, 0, 0.25) },
      { name: "d", type: OnnxType.float64, dimensions: [], data: Float64Array.of(Math.PI) },
      { name: "i", type: OnnxType.int32, dimensions: [2], data: Int32Array.of(-1, 2 ** 31 - 1) },
      { name: "l", type: OnnxType.int64, dimensions: [1, 2], data: BigInt64Array.of(-(2n ** 63n), 7n) },
      { name: "t", type: OnnxType.bool, dimensions: [1], data: Uint8Array.of(1) },
      { name: "e", type: OnnxType.float32, dimensions: [0], data: new Float32Array(0) },
    ],
    inputs: [{ name: "x", type: OnnxType.float32, dimensions: ["batch", 3] }],
    outputs: [{ name: "y", type: OnnxType.float32, dimensions: [2, "batch"] }],
  },
};

function withNodes(nodes: OnnxModel["graph"]["nodes"]): OnnxModel {
  return { ...model, graph: { ...model.graph, nodes } };
}

/** Attribute records decode without a prototype, which deepEqual in strict mode tells apart. */
function plain(value: OnnxModel): unknown {
  return {
    ...value,
    graph: {
      ...value.graph,
      nodes: value.graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes } })),
    },
  };
}

test("a model survives encoding and decoding, whatever buffer it is read from", () => {
  const bytes = encodeModel(model);
  assert.deepEqual(plain(decodeModel(bytes)), plain(model));
  const shifted = Buffer.concat([Buffer.from([7]), bytes, Buffer.from([7])]).subarray(1, 1 + bytes.length);
  const decoded = decodeModel(shifted);
  shifted.fill(0);
  assert.deepEqual(plain(decoded), plain(model));
});

test("list and string attributes and an omitted input survive", () => {
  const nodes = [
    {
      name: "n",
      operator: "Custom",
      domain: "example",
      inputs: ["", "x"],
      outputs: ["y"],
      attributes: {
        floats: { kind: "floats", value: [0.5, -2] },
        strings: { kind: "strings", value: ["é", ""] },
        string: { kind: "string", value: "round_prefer_floor" },
        ints: { kind: "ints", value: [-1, 3] },
      },
    },
  ] as const;
  assert.deepEqual(plain(decodeModel(encodeModel(withNodes(nodes)))), plain(withNodes(nodes)));
});

test("ONNX Runtime loads and runs an encoded model", async () => {
  const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]) });
  assert.deepEqual(Array.from(y!.data as Float32Array), [28.5, 64.5, -2, -6.5]);
  assert.deepEqual(y!.dims, [2, 2]);
  await session.release();
});

test("every truncation and every single-byte corruption either reads or gives a typed error", () => {
  const bytes = encodeModel(model);
  let refused = 0;
  for (let length = 0; length < bytes.length; length++) {
    try {
      decodeModel(bytes.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof OnnxFormatError, String(error));
      refused++;
    }
  }
  assert.ok(refused > bytes.length * 0.95, `${refused} of ${bytes.length} truncations refused`);
  for (let position = 0; position < bytes.length; position++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const corrupt = bytes.slice();
      corrupt[position]! ^= flip;
      try {
        decodeModel(corrupt);
      } catch (error) {
        assert.ok(error instanceof OnnxFormatError, String(error));
      }
    }
  }
});

test("text, an empty file and a graph without operator sets are refused", () => {
  for (const bytes of [
    new Uint8Array(0),
    new TextEncoder().encode("not a model"),
    encodeModel({ ...model, operatorSets: [] }),
  ]) {
    assert.throws(() => decodeModel(bytes), OnnxFormatError);
  }
});

/** A model with one initializer whose TensorProto the caller writes. */
function withTensor(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(7, WireType.LengthDelimited).fork().tag(5, WireType.LengthDelimited).fork();
  write(writer);
  writer.join().join().tag(8, WireType.LengthDelimited).fork().tag(2, WireType.Varint).int64(17).join();
  return writer.finish();
}

test("typed data fields are read, packed or not", () => {
  const packed = withTensor((writer) => {
    writer.tag(1, WireType.LengthDelimited).fork().int64(1).int64(2).join();
    writer.tag(2, WireType.Varint).int32(OnnxType.int64);
    writer.tag(7, WireType.LengthDelimited).fork().int64(-5).int64(6).join();
  });
  const tensor = decodeModel(packed).graph.initializers[0]!;
  assert.deepEqual(tensor.dimensions, [1, 2]);
  assert.deepEqual(tensor.data, BigInt64Array.of(-5n, 6n));
  const single = withTensor((writer) => {
    writer.tag(1, WireType.Varint).int64(1).tag(2, WireType.Varint).int32(OnnxType.float32);
    writer.tag(4, WireType.Bit32).float(0.75);
  });
  assert.deepEqual(decodeModel(single).graph.initializers[0]!.data, Float32Array.of(0.75));
});

test("a tensor that is external, short, of unknown type or of impossible shape is refused by name", () => {
  const cases: [RegExp, (writer: BinaryWriter) => void][] = [
    [/tensor w: its data is in another file/, (w) => w.tag(14, WireType.Varint).int32(1)],
    [/tensor w: its data does not fill the shape \[3\]/, (w) => w.tag(1, WireType.Varint).int64(3)],
    [/tensor w: its data does not fill/, (w) => w.tag(9, WireType.LengthDelimited).bytes(Uint8Array.of(1, 2, 3))],
    [/tensor w: its shape \[-1\] is not possible/, (w) => w.tag(1, WireType.Varint).int64(-1)],
    [/tensor w: element type 8 is not supported/, (w) => w.tag(2, WireType.Varint).int32(8)],
  ];
  for (const [message, write] of cases) {
    const bytes = withTensor((writer) => {
      writer.tag(2, WireType.Varint).int32(OnnxType.float32).tag(8, WireType.LengthDelimited).string("w");
      write(writer);
    });
    assert.throws(
      () => decodeModel(bytes),
      (error) => error instanceof OnnxFormatError && message.test(error.message),
    );
  }
});

test("numbers of 16 bits are read as wider ones", () => {
  const read = (type: number, write: (writer: BinaryWriter) => void) => {
    const bytes = withTensor((writer) => {
      writer.tag(1, WireType.Varint).int64(4).tag(2, WireType.Varint).int32(type);
      write(writer);
    });
    const { type: held, data } = decodeModel(bytes).graph.initializers[0]!;
    return [held, ...Array.from(data as ArrayLike<number | bigint>, Number)];
  };
  const raw = (...words: number[]) => new Uint8Array(Uint16Array.from(words).buffer);
  const typed =
    (...values: number[]) =>
    (writer: BinaryWriter) => {
      writer.tag(5, WireType.LengthDelimited).fork();
      for (const value of values) writer.int32(value);
      writer.join();
    };
  const halves = [0x3c00, 0xc100, 0x0001, 0xfc00];
  const values = [1, -2.5, 2 ** -24, Number.NEGATIVE_INFINITY];
  assert.deepEqual(
    read(10, (writer) => writer.tag(9, WireType.LengthDelimited).bytes(raw(...halves))),
    [1, ...values],
  );
  assert.deepEqual(read(10, typed(...halves)), [1, ...values]);
  assert.deepEqual(
    read(16, (writer) => writer.tag(9, WireType.LengthDelimited).bytes(raw(0x3f80, 0xc020, 0x3dcc, 0xff80))),
    [1, 1, -2.5, 0.099609375, Number.NEGATIVE_INFINITY],
  );
  assert.deepEqual(read(5, typed(1, -2, 300, -32768)), [6, 1, -2, 300, -32768]);
  assert.deepEqual(read(4, typed(1, 2, 300, 65535)), [6, 1, 2, 300, 65535]);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { OnnxFormatError } from "../../shared/onnx/errors.ts";

type Write = (writer: BinaryWriter) => void;
const nest = (writer: BinaryWriter, field: number, write: Write): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
};
const say = (writer: BinaryWriter, field: number, ...values: string[]): void => {
  for (const value of values) writer.tag(field, WireType.LengthDelimited).string(value);
};

interface Node {
  readonly operator: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly domain?: string;
  /** Name → number, or the name of the function's attribute. */
  readonly floats?: Record<string, number | string>;
}

function writeNode(writer: BinaryWriter, field: number, { operator, inputs, outputs, domain = "", floats = {} }: Node) {
  nest(writer, field, (node) => {
    say(node, 1, ...inputs);
    say(node, 2, ...outputs);
    say(node, 4, operator);
    if (domain !== "") say(node, 7, domain);
    for (const [name, value] of Object.entries(floats)) {
      nest(node, 5, (attribute) => {
        say(attribute, 1, name);
        if (typeof value === "number") attribute.tag(2, WireType.Bit32).float(value);
        else say(attribute, 21, value);
        attribute.tag(20, WireType.Varint).int32(1);
      });
    }
  });
}

interface Local {
  readonly name: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes?: string[];
  readonly defaults?: Record<string, number>;
  readonly nodes: Node[];
}

/** x [3] → y by the given nodes, which may call functions of the domain "local". */
function modelOf(nodes: Node[], functions: Local[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(9);
  const info = (graph: BinaryWriter, field: number, name: string) =>
    nest(graph, field, (value) => {
      say(value, 1, name);
      nest(value, 2, (type) =>
        nest(type, 1, (tensor) => {
          tensor.tag(1, WireType.Varint).int32(1);
          nest(tensor, 2, (shape) => nest(shape, 1, (axis) => axis.tag(1, WireType.Varint).int64(3)));
        }),
      );
    });
  nest(writer, 7, (graph) => {
    for (const node of nodes) writeNode(graph, 1, node);
    say(graph, 2, "calls");
    info(graph, 11, "x");
    info(graph, 12, "y");
  });
  const set = (target: BinaryWriter, field: number, domain: string, version: number) =>
    nest(target, field, (operators) => {
      say(operators, 1, domain);
      operators.tag(2, WireType.Varint).int64(version);
    });
  set(writer, 8, "", 17);
  set(writer, 8, "local", 1);
  for (const { name, inputs, outputs, attributes = [], defaults = {}, nodes } of functions) {
    nest(writer, 25, (local) => {
      say(local, 1, name);
      say(local, 4, ...inputs);
      say(local, 5, ...outputs);
      say(local, 6, ...attributes);
      for (const node of nodes) writeNode(local, 7, node);
      set(local, 9, "", 17);
      set(local, 9, "local", 1);
      say(local, 10, "local");
      for (const [attribute, value] of Object.entries(defaults)) {
        nest(local, 11, (proto) => {
          say(proto, 1, attribute);
          proto.tag(2, WireType.Bit32).float(value).tag(20, WireType.Varint).int32(1);
        });
      }
    });
  }
  return writer.finish();
}

async function run(bytes: Uint8Array): Promise<number[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new Tensor("float32", Float32Array.of(-1, 0.5, 2), [3]) });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

const call = (operator: string, inputs: string[], outputs: string[], floats: Node["floats"] = {}): Node => {
  return { operator, inputs, outputs, domain: "local", floats };
};
const leaky: Local = {
  name: "Leaky",
  inputs: ["a"],
  outputs: ["b"],
  attributes: ["slope"],
  nodes: [
    { operator: "LeakyRelu", inputs: ["a"], outputs: ["t"], floats: { alpha: "slope" } },
    { operator: "Tanh", inputs: ["t"], outputs: ["b"] },
  ],
};
const twice: Local = {
  name: "Twice",
  inputs: ["a", "unused"],
  outputs: ["b", "same"],
  defaults: { slope: 0.25 },
  nodes: [
    call("Leaky", ["a"], ["t"], { slope: "slope" }),
    call("Leaky", ["t"], ["b"], { slope: 0.5 }),
    { operator: "Identity", inputs: ["a"], outputs: ["same"] },
  ],
};

describe("local functions", () => {
  test("are put where they are called, as ONNX Runtime does", async () => {
    const nodes = [
      call("Twice", ["x"], ["t", ""], { slope: 0.125 }),
      call("Twice", ["t", ""], ["u", "same"]),
      call("Leaky", ["same"], ["v"]),
      { operator: "Sum", inputs: ["t", "u", "v"], outputs: ["y"] },
    ];
    const bytes = modelOf(nodes, [leaky, twice]);
    const model = decodeModel(bytes);
    assert.ok(model.graph.nodes.every(({ domain }) => domain === ""));
    const slopes = model.graph.nodes.flatMap(({ attributes: { alpha } }) =>
      alpha?.kind === "float" ? [alpha.value] : [],
    );
    assert.deepEqual(slopes, [0.125, 0.5, 0.25, 0.5]);
    const names = model.graph.nodes.flatMap(({ outputs }) => outputs);
    assert.equal(new Set(names).size, names.length, "every value has a name of its own");
    assert.deepEqual(await run(encodeModel(model)), await run(bytes));
  });

  test("whose output is an input pass it on", async () => {
    const pass: Local = { name: "Pass", inputs: ["a"], outputs: ["a"], nodes: [] };
    const bytes = modelOf([call("Pass", ["x"], ["t"]), { operator: "Neg", inputs: ["t"], outputs: ["y"] }], [pass]);
    assert.deepEqual(await run(encodeModel(decodeModel(bytes))), [1, -0.5, -2]);
  });

  test("that call each other endlessly are refused", () => {
    const loop: Local = { name: "Loop", inputs: ["a"], outputs: ["b"], nodes: [call("Loop", ["a"], ["b"])] };
    assert.throws(() => decodeModel(modelOf([call("Loop", ["x"], ["y"])], [loop])), /call each other endlessly/);
  });

  test("that call each other twice each, sixty deep, are refused, although they do nothing", () => {
    const doubling = Array.from({ length: 60 }, (_, level): Local => {
      const next = () => call(`Level${level + 1}`, ["a"], ["b"]);
      return { name: `Level${level}`, inputs: ["a"], outputs: ["b"], nodes: level === 59 ? [] : [next(), next()] };
    });
    assert.throws(
      () => decodeModel(modelOf([call("Level0", ["x"], ["y"])], doubling)),
      (error) => error instanceof OnnxFormatError && /call each other too often/.test(error.message),
    );
  });

  test("and references to their attributes outside of them", () => {
    const node = { operator: "LeakyRelu", inputs: ["x"], outputs: ["y"], floats: { alpha: "slope" } };
    assert.throws(
      () => decodeModel(modelOf([node], [])),
      (error) => error instanceof OnnxFormatError && /attribute alpha refers to a function's/.test(error.message),
    );
  });
});

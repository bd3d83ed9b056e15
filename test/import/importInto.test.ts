/** Models read into a graph that holds more than them: named inputs of any shape, several outputs, shared parameters, constants. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { importModel, modelInputs } from "../../shared/import/import.ts";
import { field } from "../../shared/layers/leaf.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { ModelError } from "../../shared/program/errors.ts";

const node = (operator: string, inputs: string[], outputs: string[]): OnnxNode => {
  return { name: `the ${operator}`, operator, domain: "", inputs, outputs, attributes: {} };
};
const tensor = (name: string, dimensions: number[], ...values: number[]): OnnxTensor => {
  return { name, type: OnnxType.float32, dimensions, data: Float32Array.from(values) };
};

/** image [batch, 2, 3] and token [batch] → scores [batch, 2, 3], and the embedded tokens [batch, 2]. */
const MODEL: OnnxModel = {
  irVersion: 8,
  producer: "",
  operatorSets: [{ domain: "", version: 17 }],
  graph: {
    name: "",
    nodes: [
      node("Mul", ["image", "gain"], ["scores"]),
      node("Gather", ["table", "token"], ["embedded"]),
      node("Tanh", ["embedded"], ["hidden"]),
    ],
    initializers: [tensor("gain", [3], 1, 2, 3), tensor("table", [2, 2], 1, 2, 3, 4), tensor("spare", [1], 0)],
    inputs: [
      { name: "image", type: OnnxType.float32, dimensions: ["batch", 2, 3] },
      { name: "token", type: OnnxType.int64, dimensions: ["batch"] },
    ],
    outputs: ["scores", "hidden"].map((name) => ({ name, type: 0, dimensions: null })),
  },
};

function inputs(graph: SourceGraph, batch = 4, imageWidth = 6): Map<string, ValueId> {
  const image = { name: "image", dtype: Dtype.float32, offset: 0, width: imageWidth, minimum: -1, maximum: 1 };
  const token = { name: "token", dtype: Dtype.int32, offset: imageWidth, width: 1, minimum: 0, maximum: 1 };
  return new Map([
    ["image", field(graph, image, batch)],
    ["token", field(graph, token, batch)],
  ]);
}

describe("importModel", () => {
  test("takes flat fields for inputs of any shape and gives every output by name", () => {
    const graph = new SourceGraph();
    const { outputs, parameters, updates } = importModel(graph, MODEL, { inputs: inputs(graph) });
    const shapes = Object.fromEntries([...outputs].map(([name, value]) => [name, graph.shape(value)]));
    assert.deepEqual(shapes, { scores: [4, 2, 3], hidden: [4, 2] });
    assert.deepEqual(
      parameters.map(({ name, initial }) => [name, ...new Float32Array(initial.buffer)]),
      [
        ["gain", 1, 2, 3],
        ["table", 1, 2, 3, 4],
      ],
    );
    assert.deepEqual(updates, []);
  });

  test("twice, with the same parameters or with others under a prefix", () => {
    const graph = new SourceGraph();
    const first = importModel(graph, MODEL, { inputs: inputs(graph) });
    const parameters = new Map(first.parameters.map(({ name, value }) => [name, value]));
    const second = importModel(graph, MODEL, { inputs: inputs(graph), parameters });
    assert.deepEqual(second.parameters, []);
    const used = graph.ancestors(second.outputs.values());
    for (const value of parameters.values()) assert.ok(used.has(value));
    const third = importModel(graph, MODEL, { inputs: inputs(graph), prefix: "other." });
    assert.deepEqual(
      third.parameters.map(({ name, value }) => [name, graph.name(value)]),
      [
        ["gain", "other.gain"],
        ["table", "other.table"],
      ],
    );
  });

  test("refuses what does not fit: a missing input, another width, another kind of number", () => {
    const refused = (change: (given: Map<string, ValueId>, graph: SourceGraph) => void, pattern: RegExp) => {
      const graph = new SourceGraph();
      const given = inputs(graph);
      change(given, graph);
      assert.throws(
        () => importModel(graph, MODEL, { inputs: given }),
        (error) => error instanceof ModelError && pattern.test(error.message),
      );
    };
    refused((given) => given.delete("token"), /input "token" is not among those given: image/);
    refused((given, graph) => given.set("image", inputs(graph, 4, 5).get("image")!), /\[batch,2,3\], not \[4,5\]/);
    refused((given) => given.set("image", given.get("token")!), /takes float32 numbers and is given integers/);
    refused((given) => given.set("token", given.get("image")!), /takes integers and is given float32 numbers/);
  });

  test("an axis that the file leaves open takes what is left of the field", () => {
    const graph = new SourceGraph();
    const [image, token] = MODEL.graph.inputs;
    const open = {
      ...MODEL,
      graph: { ...MODEL.graph, inputs: [{ ...image!, dimensions: ["batch", "rows", 3] }, token!] },
    };
    const { outputs } = importModel(graph, open, { inputs: inputs(graph, 4, 15) });
    assert.deepEqual(graph.shape(outputs.get("scores")!), [4, 5, 3]);
  });

  test("masks become finite constants: −∞ and −3.4e38 are −2^20", () => {
    for (const value of [Number.NEGATIVE_INFINITY, -3.4028234663852886e38]) {
      const masked = node("Add", ["image", "mask"], ["scores"]);
      const graph = new SourceGraph();
      const mask = tensor("mask", [2, 3], 0, value, 0, 0, 0, value);
      const model = {
        ...MODEL,
        graph: { ...MODEL.graph, nodes: [masked], initializers: [mask], outputs: [MODEL.graph.outputs[0]!] },
      };
      const { outputs, parameters } = importModel(graph, model, { inputs: inputs(graph) });
      assert.deepEqual(parameters, []);
      const constant = [...graph.ancestors(outputs.values())].find((id) => graph.node(id).layer === "constant")!;
      assert.equal(graph.node(constant).bound, 2 ** 20);
    }
  });
});

test("modelInputs leaves out initializers that an old file lists among them", () => {
  const listed = MODEL.graph.initializers.map(({ name, type, dimensions }) => ({ name, type, dimensions }));
  const model = { ...MODEL, graph: { ...MODEL.graph, inputs: [...listed, ...MODEL.graph.inputs] } };
  assert.deepEqual(
    modelInputs(model).map(({ name }) => name),
    ["image", "token"],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OnnxModel, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { trainedInitializers } from "../../shared/onnx/trained.ts";

function tensor(name: string, dimensions: number[], ...values: number[]): OnnxTensor {
  const count = dimensions.reduce((product, length) => product * length, 1);
  const data = Float32Array.from({ length: count }, (_, i) => values[i % values.length]!);
  return { name, type: OnnxType.float32, dimensions, data };
}

function trained(tensors: OnnxTensor[], readers: Record<string, string> = {}): string[] {
  const nodes = Object.entries(readers).map(([name, operator]) => ({
    name: "",
    operator,
    domain: "",
    inputs: ["x", name],
    outputs: [`${name}.out`],
    attributes: {},
  }));
  const graph: OnnxModel["graph"] = { name: "", nodes, initializers: tensors, inputs: [], outputs: [] };
  return [...trainedInitializers({ irVersion: 8, producer: "", operatorSets: [], graph })];
}

test("what a file names is a parameter, single numbers too", () => {
  const tensors = [tensor("fc.weight", [2, 2], 1), tensor("scale", [], 1), tensor("temperature", [1], 1)];
  assert.deepEqual(trained(tensors), ["fc.weight", "scale", "temperature"]);
});

test("masks are constants, whatever their name", () => {
  const masks = [
    tensor("mask", [2, 2], 0, Number.NEGATIVE_INFINITY),
    tensor("bias", [2, 2], 0, -3.4028234663852886e38),
    tensor("attention.bias", [2, 2], 0, -1e9),
  ];
  assert.deepEqual(trained(masks), []);
  // Too great for a parameter, but no mask: the import says so.
  assert.deepEqual(trained([tensor("w", [2], -1e9, 1)]), ["w"]);
});

test("under a name that an exporter made up, weights and vectors are parameters, numbers and tables are not", () => {
  const tensors = [
    tensor("onnx::MatMul_31", [2, 3], 1),
    tensor("val_7", [2, 3], 1),
    tensor("onnx::Add_32", [3], 1),
    tensor("onnx::Mul_33", [4, 3], 1),
    tensor("val_3", [], 1),
    tensor("onnx::Div_34", [1], 1),
    tensor("const_12", [2, 2], 1),
    tensor("57", [2, 2], 1),
  ];
  const readers = { "onnx::MatMul_31": "MatMul", val_7: "Gemm", "onnx::Mul_33": "Mul", const_12: "Conv" };
  assert.deepEqual(trained(tensors, readers), ["onnx::MatMul_31", "val_7", "onnx::Add_32", "const_12"]);
});

test("integers are never parameters", () => {
  const shape: OnnxTensor = { name: "shape", type: OnnxType.int64, dimensions: [1], data: BigInt64Array.of(3n) };
  assert.deepEqual(trained([shape]), []);
});

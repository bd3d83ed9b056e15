import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { mlpModel, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import { DataFileError } from "../../shared/data/errors.ts";
import { type NamedTensor, writeSafetensors } from "../../shared/data/safetensors.ts";
import { withWeights } from "../../shared/data/weights.ts";
import { Dtype } from "../../shared/program/descriptor.ts";

const SIZES = { context: 3, vocabulary: 7, embedding: 4, hidden: [6] };
const model = mlpModel(SIZES, mlpWeights(SIZES, 1n));
const tensor = (name: string, shape: number[], value: number): NamedTensor => {
  const words = new Uint32Array(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value).buffer);
  return { name, dtype: Dtype.float32, shape, words };
};
const file = (tensors: readonly NamedTensor[]) => ({ name: "weights.safetensors", bytes: writeSafetensors(tensors) });

describe("withWeights", () => {
  it("replaces the weights of the file's names and keeps the others", () => {
    const { initializers } = withWeights(
      model,
      file([tensor("fc1.bias", [6], 0.5), tensor("fc2.bias", [7], -1)]),
    ).graph;
    for (const [index, own] of model.graph.initializers.entries()) {
      const value = { "fc1.bias": 0.5, "fc2.bias": -1 }[own.name];
      assert.deepEqual(
        initializers[index],
        value === undefined ? own : { ...own, data: new Float32Array(own.data.length).fill(value) },
      );
    }
    assert.deepEqual(model, mlpModel(SIZES, mlpWeights(SIZES, 1n)));
  });

  it("takes any float dtype", () => {
    // Its tensor "f32" is [3, 2]; half the precision is the reader's business.
    const many = new URL("../fixtures/data/many.safetensors", import.meta.url);
    const of = (name: string) => {
      const initializers = [{ name, type: 1, dimensions: [3, 2], data: new Float32Array(6) }] as const;
      return { ...model, graph: { ...model.graph, initializers } };
    };
    // The file holds more than one tensor: what the model lacks is refused.
    const whole = { name: "many", bytes: new Uint8Array(readFileSync(many)) };
    assert.throws(() => withWeights(of("f32"), whole), DataFileError);
    const halves = Uint8Array.of(0x00, 0x3c, 0x00, 0xc0);
    const header = JSON.stringify({ h: { dtype: "F16", shape: [2], data_offsets: [0, 4] } });
    const bytes = new Uint8Array([
      ...new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer),
      ...Buffer.from(header),
      ...halves,
    ]);
    const small = {
      ...model.graph,
      initializers: [{ name: "h", type: 1, dimensions: [2], data: new Float32Array(2) }] as const,
    };
    assert.deepEqual(
      withWeights({ ...model, graph: small }, { name: "h", bytes }).graph.initializers[0]!.data,
      Float32Array.of(1, -2),
    );
  });

  it("refuses what is not the model's, naming the tensor", () => {
    const refused = (tensors: readonly NamedTensor[], place: string, problem: RegExp) =>
      assert.throws(
        () => withWeights(model, file(tensors)),
        (error: DataFileError) =>
          error instanceof DataFileError && error.place === place && problem.test(error.message),
      );
    refused([tensor("fc9.bias", [6], 1)], "fc9.bias", /no such weights[\s\S]*embedding\.weight, fc1\.weight/);
    refused([tensor("fc1.bias", [7], 1)], "fc1.bias", /\[7\], the model's \[6\]/);
    refused([{ ...tensor("fc1.bias", [6], 1), dtype: Dtype.int32 }], "fc1.bias", /int32/);
    refused([], "header", /no tensor/);
    const cut = { name: "cut", bytes: file([tensor("fc1.bias", [6], 1)]).bytes.slice(0, -1) };
    assert.throws(() => withWeights(model, cut), DataFileError);
  });
});

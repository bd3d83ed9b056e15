/** Layers that exporters write out in small nodes are found, and nothing else is taken for one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { decodeModel } from "../../shared/onnx/decode.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { recognise } from "../../shared/onnx/recognise/recognise.ts";

function counts({ graph }: OnnxModel, ...operators: string[]): number[] {
  return operators.map((name) => graph.nodes.filter(({ operator }) => operator === name).length);
}

function fixture(name: string): OnnxModel {
  return decodeModel(readFileSync(path.resolve(import.meta.dirname, "../fixtures/pytorch", name)));
}

describe("in models that PyTorch exported", () => {
  test("GPT-2: every layer normalisation and GELU", () => {
    const found = recognise(fixture("gpt.onnx"));
    assert.deepEqual(counts(found, "LayerNormalization", "Gelu"), [5, 2]);
    assert.deepEqual(counts(found, "ReduceMean", "Sqrt", "Pow", "Erf", "Sub", "Mul"), [0, 0, 0, 0, 0, 0]);
    for (const { operator, inputs } of found.graph.nodes) {
      if (operator === "LayerNormalization") assert.equal(inputs.length, 3);
    }
  });

  test("Llama: every RMS normalisation and SiLU", () => {
    const found = recognise(fixture("llama.onnx"));
    assert.deepEqual(counts(found, "RMSNormalization", "Swish"), [5, 2]);
    assert.deepEqual(counts(found, "ReduceMean", "Sqrt", "Pow", "Sigmoid"), [0, 0, 0, 0]);
  });
});

/** A graph from x to y of lines such as "t = Mul x half"; numbers are scalar constants, w and b parameters of 4 words. */
function written(...lines: string[]): OnnxModel {
  const constants = new Map<string, OnnxTensor>();
  const name = (input: string): string => {
    if (Number.isNaN(Number(input))) return input;
    const data = Float32Array.of(Number(input));
    constants.set(input, { name: `c${input}`, type: OnnxType.float32, dimensions: [], data });
    return `c${input}`;
  };
  const nodes = lines.map((line): OnnxNode => {
    const [output, , operator, ...inputs] = line.split(" ") as [string, string, string, ...string[]];
    const attributes: OnnxNode["attributes"] = operator === "ReduceMean" ? { axes: { kind: "ints", value: [-1] } } : {};
    return { name: line, operator, domain: "", inputs: inputs.map(name), outputs: [output], attributes };
  });
  const parameter = (called: string): OnnxTensor => ({
    name: called,
    type: OnnxType.float32,
    dimensions: [4],
    data: new Float32Array(4),
  });
  return {
    irVersion: 8,
    producer: "",
    operatorSets: [{ domain: "", version: 17 }],
    graph: {
      name: "written",
      nodes,
      initializers: [...constants.values(), parameter("w"), parameter("b")],
      inputs: [{ name: "x", type: OnnxType.float32, dimensions: [2, 4] }],
      outputs: [{ name: "y", type: OnnxType.float32, dimensions: [2, 4] }],
    },
  };
}

const found = (...lines: string[]) =>
  recognise(written(...lines)).graph.nodes.map(({ operator, inputs }) => [operator, ...inputs].join(" "));
const kept = (...lines: string[]) => {
  const model = written(...lines);
  assert.deepEqual(recognise(model), model);
};

const GPT2_TANH = [
  "a = Mul x 0.5",
  "p = Pow x 3",
  "q = Mul p 0.044715",
  "r = Add x q",
  "s = Mul r 0.7978845608",
  "t = Tanh s",
  "u = Add t 1",
  "y = Mul a u",
];

describe("activations", () => {
  test("GELU in whatever order its factors stand", () => {
    assert.deepEqual(found("d = Div x 1.41421356", "e = Erf d", "s = Add 1 e", "h = Mul 0.5 x", "y = Mul s h"), [
      "Gelu x",
    ]);
    assert.deepEqual(found("d = Mul x 0.70710678", "e = Erf d", "s = Add e 1", "h = Mul x s", "y = Div h 2"), [
      "Gelu x",
    ]);
    assert.deepEqual(found("r = Sqrt 2", "d = Div x r", "e = Erf d", "s = Add 1 e", "h = Mul 0.5 x", "y = Mul s h"), [
      "Gelu x",
    ]);
    assert.deepEqual(found(...GPT2_TANH), ["Gelu x"]);
    const [gelu] = recognise(written(...GPT2_TANH)).graph.nodes;
    assert.deepEqual(gelu!.attributes, { approximate: { kind: "string", value: "tanh" } });
  });

  test("x times a sigmoid, also a stretched one", () => {
    assert.deepEqual(found("s = Sigmoid x", "y = Mul s x"), ["Swish x"]);
    const [swish] = recognise(written("m = Mul x 1.702", "s = Sigmoid m", "y = Mul x s")).graph.nodes;
    const { alpha } = swish!.attributes;
    assert.ok(alpha?.kind === "float" && Math.abs(alpha.value - 1.702) < 1e-6);
  });

  test("what precedes one stays as it is, and so does what others read of it", () => {
    assert.deepEqual(found("z = Mul x 3", "s = Sigmoid z", "y = Mul s z"), ["Mul x c3", "Swish z"]);
    assert.deepEqual(found("s = Sigmoid x", "z = Mul s x", "y = Add z s"), ["Sigmoid x", "Swish x", "Add z s"]);
  });

  test("nothing that only resembles one", () => {
    kept("d = Div x 1.5", "e = Erf d", "s = Add 1 e", "h = Mul 0.5 x", "y = Mul s h");
    kept("s = Sigmoid x", "t = Sigmoid w", "y = Mul t x");
    kept("s = Sigmoid x", "y = Mul s w");
    kept(...GPT2_TANH.with(2, "q = Mul p 0.05"));
    kept("t = Tanh x", "y = Mul t x");
  });
});

const MEAN = ["m = ReduceMean x", "d = Sub x m"];

describe("normalisations", () => {
  test("with and without parameters, by every way to divide by a root", () => {
    const variance = ["p = Mul d d", "v = ReduceMean p", "e = Add 1e-5 v"];
    assert.deepEqual(found(...MEAN, ...variance, "r = Sqrt e", "y = Div d r"), ["LayerNormalization x"]);
    assert.deepEqual(found(...MEAN, ...variance, "r = Sqrt e", "n = Div d r", "g = Mul w n", "y = Add g b"), [
      "LayerNormalization x w b",
    ]);
    assert.deepEqual(found(...MEAN, ...variance, "r = Pow e -0.5", "y = Mul r d"), ["LayerNormalization x"]);
    const squares = ["p = Pow x 2", "v = ReduceMean p", "e = Add v 1e-6", "r = Sqrt e"];
    assert.deepEqual(found(...squares, "i = Reciprocal r", "n = Mul x i", "y = Mul n w"), ["RMSNormalization x w"]);
    assert.deepEqual(found(...squares, "i = Div 1 r", "n = Mul x i", "g = Mul n w", "y = Add g b"), [
      "RMSNormalization x w",
      "Add g b",
    ]);
  });

  test("nothing that only resembles one", () => {
    const root = ["v = ReduceMean p", "e = Add v 1e-6", "r = Sqrt e"];
    kept("p = Pow x 3", ...root, "y = Div x r");
    kept("p = Mul x w", ...root, "y = Div x r");
    kept("p = Pow x 2", ...root, "n = Add x 1", "y = Div n r");
    kept("p = Pow x 2", ...root, "y = Mul x r");
  });

  test("a deviation from another mean is normalised as it is", () => {
    const lines = [
      "m = ReduceMean w",
      "d = Sub x m",
      "p = Mul d d",
      "v = ReduceMean p",
      "e = Add v 1e-6",
      "r = Sqrt e",
    ];
    assert.deepEqual(found(...lines, "y = Div d r"), ["ReduceMean w", "Sub x m", "RMSNormalization d"]);
  });
});

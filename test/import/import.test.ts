import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { type MlpSizes, mlpModel } from "../../examples/solidity-mlp/model.ts";
import { compileTraining, type TrainingSettings } from "../../shared/compile/compile.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { ModelError } from "../../shared/program/errors.ts";
import { jobOf, numbers, randomSamples, settings, TINY } from "../helpers/compile.ts";

/** Sizes in test/fixtures/pytorch/export.py. */
const SIZES: MlpSizes = { context: 5, vocabulary: 11, embedding: 6, hidden: [9, 8] };

function fixture(name: string): Buffer {
  return readFileSync(path.resolve(import.meta.dirname, "../fixtures/pytorch", name));
}

describe("models that PyTorch exported", () => {
  const samples = randomSamples(SIZES, 20, 6);
  const committed = (model: Uint8Array) => {
    const compiled = compileTraining(settings(SIZES, { model }));
    return commitTraining(jobOf(compiled, samples, 30), compiled.initialState);
  };

  test("compile to the very program of the same network written by hand", () => {
    const { initializers } = decodeModel(fixture("dynamic.onnx")).graph;
    const weights = new Map(initializers.map(({ name, data }) => [name, data as Float32Array]));
    const own = committed(encodeModel(mlpModel(SIZES, weights)));
    assert.deepEqual(committed(fixture("dynamic.onnx")), own);
    assert.deepEqual(committed(fixture("fixed.onnx")), own);
  });

  for (const name of ["dynamic.onnx", "fixed.onnx", "matmul.onnx"]) {
    test(`${name}: the program is well-formed and its logits are ONNX Runtime's`, async () => {
      const compiled = compileTraining(settings(SIZES, { model: fixture(name) }));
      const job = jobOf(compiled, samples, 30);
      requireWellFormedJob(job, compiled.initialState);
      const inputs = stepInputs(job, 0, compiled.initialState);
      const trace = await new ReferenceEngine(job.program).trace(inputs);
      const tokens = [...inputs.batches.values()].find(({ shape }) => shape[1] === SIZES.context)!;
      const session = await InferenceSession.create(fixture(name), { logSeverityLevel: 3 });
      const feed = new OrtTensor("int64", BigInt64Array.from([...tokens.words].map(BigInt)), [...tokens.shape]);
      const { logits } = await session.run({ tokens: feed });
      await session.release();
      const actual = numbers(trace.outputs[job.program.logits!]!);
      assert.equal(actual.length, logits!.data.length);
      for (const [i, value] of (logits!.data as Float32Array).entries()) {
        assert.ok(Math.abs(actual[i]! - value) < 5e-6, `${actual[i]} instead of ${value}`);
      }
    });
  }

  test("a model exported for another batch size is refused", () => {
    assert.throws(
      () => compileTraining(settings(SIZES, { model: fixture("fixed.onnx"), batch: 8 })),
      (error) => error instanceof ModelError && /\[4,5\], not \[8,5\]/.test(error.message),
    );
  });
});

const BASE = decodeModel(settings(TINY).model);

/** The tiny model with another graph. */
function changed(graph: Partial<OnnxModel["graph"]>, rest: Partial<OnnxModel> = {}): TrainingSettings {
  return settings(TINY, { model: encodeModel({ ...BASE, ...rest, graph: { ...BASE.graph, ...graph } }) });
}

const ints = (...values: number[]): OnnxNode["attributes"][string] => ({ kind: "ints", value: values });
const int = (value: number): OnnxNode["attributes"][string] => ({ kind: "int", value });

function node(operator: string, inputs: string[], output: string, attributes: OnnxNode["attributes"] = {}): OnnxNode {
  return { name: `the ${operator}`, operator, domain: "", inputs, outputs: [output], attributes };
}

function int64s(name: string, ...values: number[]): OnnxTensor {
  return { name, type: OnnxType.int64, dimensions: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** The tiny model with nodes between its Flatten and its first Gemm; the last of them must make "hidden". */
function inserted(nodes: OnnxNode[], initializers: OnnxTensor[] = []): TrainingSettings {
  const [gather, flatten, gemm, ...rest] = BASE.graph.nodes as [OnnxNode, OnnxNode, OnnxNode, ...OnnxNode[]];
  const first = { ...gemm, inputs: ["hidden", ...gemm.inputs.slice(1)] };
  const named = { ...flatten, outputs: ["flat"] };
  return changed({
    nodes: [gather, named, ...nodes, first, ...rest],
    initializers: [...BASE.graph.initializers, ...initializers],
  });
}

const operatorsOf = (chosen: TrainingSettings) =>
  compileTraining(chosen).program.operators.map(({ operator }) => operator);

describe("operators that only reshape", () => {
  const plain = operatorsOf(settings(TINY));
  const width = TINY.context * TINY.embedding;

  test("leave no trace in the program", () => {
    const chains: [OnnxNode[], OnnxTensor[]?][] = [
      [[node("Identity", ["flat"], "hidden")]],
      [[node("Cast", ["flat"], "hidden", { to: int(OnnxType.float32) })]],
      [[node("Unsqueeze", ["flat", "axes"], "a"), node("Squeeze", ["a"], "hidden")], [int64s("axes", 0, -1)]],
      [[node("Unsqueeze", ["flat"], "a", { axes: ints(1) }), node("Squeeze", ["a"], "hidden", { axes: ints(-2) })]],
      [[node("Transpose", ["flat"], "a"), node("Transpose", ["a"], "hidden", { perm: ints(1, 0) })]],
      [
        [node("Reshape", ["flat", "s"], "a"), node("Flatten", ["a"], "hidden", { axis: int(-2) })],
        [int64s("s", 0, 3, -1)],
      ],
      [[node("Constant", [], "s", { value_ints: ints(-1, width) }), node("Reshape", ["flat", "s"], "hidden")]],
      [
        [
          node("Shape", ["tokens"], "shape"),
          node("Constant", [], "zero", { value_int: int(0) }),
          node("Gather", ["shape", "zero"], "batch"),
          node("Unsqueeze", ["batch", "zeros"], "rows"),
          node("Cast", ["rows"], "rows32", { to: int(OnnxType.int32) }),
          node("Identity", ["minusOne"], "rest"),
          node("Concat", ["rows32", "rest"], "s", { axis: int(0) }),
          node("Squeeze", ["s"], "s2"),
          node("Reshape", ["flat", "s2"], "hidden"),
        ],
        [int64s("zeros", 0), int64s("minusOne", -1)],
      ],
      [
        [
          node("Shape", ["tokens"], "s", { start: int(0), end: int(1) }),
          node("Concat", ["s", "w"], "t"),
          node("Reshape", ["flat", "t"], "hidden"),
        ],
        [int64s("w", width)],
      ],
    ];
    for (const [nodes, initializers] of chains) assert.deepEqual(operatorsOf(inserted(nodes, initializers)), plain);
  });

  test("on the tokens too: a cast to int32", () => {
    const [gather, ...rest] = BASE.graph.nodes as [OnnxNode, ...OnnxNode[]];
    const cast = node("Cast", ["tokens"], "tokens32", { to: int(OnnxType.int32) });
    const nodes = [cast, { ...gather, inputs: [gather.inputs[0]!, "tokens32"] }, ...rest];
    assert.deepEqual(operatorsOf(changed({ nodes })), plain);
  });

  test("a Gemm with factors scales, one with factors of one does not", () => {
    const gemm = (alpha: number, beta: number) =>
      changed({
        nodes: BASE.graph.nodes.map((each) =>
          each.operator !== "Gemm"
            ? each
            : {
                ...each,
                attributes: {
                  ...each.attributes,
                  alpha: { kind: "float", value: alpha },
                  beta: { kind: "float", value: beta },
                },
              },
        ),
      });
    assert.deepEqual(operatorsOf(gemm(1, 1)), plain);
    assert.notDeepEqual(operatorsOf(gemm(0.5, 1)), plain);
    const compiled = compileTraining(gemm(0.5, 2));
    requireWellFormedJob(jobOf(compiled, randomSamples(TINY, 9, 1), 30), compiled.initialState);
  });
});

/** Asserts that compiling fails with a ModelError that names the operator and says what the pattern wants. */
function refuses(chosen: TrainingSettings, operator: string | null, pattern: RegExp): void {
  assert.throws(
    () => compileTraining(chosen),
    (error) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.equal(error.operator, operator);
      assert.match(error.message, pattern);
      if (operator !== null) assert.equal(error.node, `the ${operator}`);
      assert.ok(error.remedy);
      return true;
    },
  );
}

describe("what cannot be compiled is refused by name", () => {
  test("operators", () => {
    refuses(inserted([node("Frobnicate", ["flat"], "hidden")]), "Frobnicate", /Supported operators are Abs, /);
    const foreign = { ...node("Gemm", ["flat"], "hidden"), domain: "com.microsoft" };
    refuses(inserted([foreign]), "Gemm", /com.microsoft.Gemm is not supported/);
    const split = { ...node("Identity", ["flat"], "hidden"), outputs: ["more", "hidden"] };
    const reader = node("Tanh", ["more"], "unused");
    assert.throws(() => compileTraining(inserted([split, reader])), /output 1 of node "the Identity".*not supported/);
  });

  test("shapes that do not fit", () => {
    const weight: OnnxTensor = {
      name: "w",
      type: OnnxType.float32,
      dimensions: [5, 2],
      data: new Float32Array(10).fill(1),
    };
    const bias: OnnxTensor = { name: "b", type: OnnxType.float32, dimensions: [3], data: new Float32Array(3) };
    const cube: OnnxTensor = { name: "c", type: OnnxType.float32, dimensions: [2, 12, 2], data: new Float32Array(48) };
    const square: OnnxTensor = { name: "q", type: OnnxType.float32, dimensions: [12, 12], data: new Float32Array(144) };
    const to = "hidden";
    refuses(inserted([node("Gemm", ["flat", "w"], to)], [weight]), "Gemm", /\[4,12\] and \[5,2\] cannot be multiplied/);
    refuses(inserted([node("Gemm", ["c", "w"], to)], [weight, cube]), "Gemm", /\[2,12,2\] is not a matrix/);
    refuses(
      inserted([node("Gemm", ["flat", "q", "b"], to)], [square, bias]),
      "Gemm",
      /C \[3\] does not broadcast to \[4,12\]/,
    );
    refuses(inserted([node("MatMul", ["flat", "w"], to)], [weight]), "MatMul", /\[4,12\] and \[5,2\] cannot/);
    refuses(inserted([node("MatMul", ["b", "flat"], to)], [bias]), "MatMul", /\[3\] and \[4,12\] cannot/);
    const other = { ...cube, name: "d", dimensions: [12, 2, 2] };
    refuses(inserted([node("MatMul", ["c", "d"], to)], [cube, other]), "MatMul", /\[2,12,2\] and \[12,2,2\] cannot/);
    refuses(inserted([node("Add", ["flat", "b"], to)], [bias]), "Add", /\[4,12\] and \[3\] do not broadcast/);
    refuses(
      inserted([node("Reshape", ["flat", "s"], to)], [int64s("s", 4, 13)]),
      "Reshape",
      /\[4,12\] cannot be reshaped to \[4,13\]/,
    );
    refuses(inserted([node("Reshape", ["flat", "s"], to)], [int64s("s", -1, -1)]), "Reshape", /cannot be reshaped/);
    refuses(inserted([node("Reshape", ["flat", "s"], to)], [int64s("s", 5, -1)]), "Reshape", /cannot be reshaped/);
    refuses(inserted([node("Reshape", ["flat"], to)]), "Reshape", /names no shape/);
    refuses(inserted([node("Reshape", ["flat", "flat"], to)]), "Reshape", /shape are not constant/);
    refuses(inserted([node("Squeeze", ["flat"], to, { axes: ints(1) })]), "Squeeze", /not all of length 1/);
    refuses(inserted([node("Squeeze", ["flat"], to, { axes: ints(2) })]), "Squeeze", /axis 2 is not one of 2/);
    refuses(inserted([node("Unsqueeze", ["flat"], to, { axes: ints(0, 0) })]), "Unsqueeze", /one axis twice/);
    refuses(inserted([node("Unsqueeze", ["flat"], to)]), "Unsqueeze", /names no axes/);
    refuses(inserted([node("Transpose", ["flat"], to, { perm: ints(0, 0) })]), "Transpose", /not a permutation/);
    refuses(inserted([node("Flatten", ["flat"], to, { axis: int(3) })]), "Flatten", /axis 3 is not one of 2/);
    refuses(inserted([node("Gather", ["c", "tokens"], to)], [cube]), "Gather", /table has 2 rows/);
    refuses(
      inserted([node("Shape", ["flat"], "s"), node("Gather", ["s", "i"], to)], [int64s("i", 2)]),
      "Gather",
      /axis 2 is not one of 2/,
    );
  });

  test("inputs of the wrong kind", () => {
    const to = "hidden";
    refuses(inserted([node("Tanh", ["tokens"], to)]), "Tanh", /"tokens" is not a float32 tensor/);
    refuses(inserted([node("Gather", ["flat", "flat"], to)]), "Gather", /"flat" is not a int32 tensor/);
    refuses(inserted([node("Sigmoid", ["s"], to)], [int64s("s", 1)]), "Sigmoid", /"s" is not a float32 tensor/);
    refuses(inserted([node("Tanh", ["nothing"], to)]), "Tanh", /"nothing" is not defined before it/);
    refuses(inserted([node("Tanh", [], to)]), "Tanh", /lacks input 0/);
    refuses(inserted([node("Concat", ["flat", "flat"], to, { axis: int(7) })]), "Concat", /axis 7 is not one of/);
    refuses(
      inserted([node("Cast", ["flat"], to, { to: int(OnnxType.int64) })]),
      "Cast",
      /a cast from float32 to element type 7/,
    );
    refuses(inserted([node("Constant", [], to)]), "Constant", /neither a tensor nor numbers/);
    refuses(
      inserted([node("Flatten", ["flat"], to, { axis: ints(1) })]),
      "Flatten",
      /attribute axis is not of kind int/,
    );
    const shape = [node("Shape", ["flat"], "s"), node("Gather", ["s", "tokens"], to)];
    refuses(inserted(shape), "Gather", /table has 2 rows/);
  });

  test("missing weights", () => {
    const initializers = BASE.graph.initializers.filter(({ name }) => name !== "fc1.weight");
    const nodes = BASE.graph.nodes.map((each) => ({ ...each, name: `the ${each.operator}` }));
    refuses(changed({ nodes, initializers }), "Gemm", /"fc1.weight" is not defined.*weights inside/);
  });

  test("graphs", () => {
    const [input, output] = [BASE.graph.inputs[0]!, BASE.graph.outputs[0]!];
    refuses(changed({ inputs: [input, { ...input, name: "mask" }] }), null, /its input "tokens" is no field/);
    refuses(changed({ outputs: [] }), null, /0 outputs/);
    refuses(changed({ outputs: [output, output] }), null, /has the output .* twice/);
    const hidden = { ...output, name: BASE.graph.nodes[3]!.outputs[0]! };
    refuses(changed({ outputs: [output, hidden] }), null, /2 outputs/);
    refuses(changed({ outputs: [{ ...output, name: "nothing" }] }), null, /no node computes its output "nothing"/);
    refuses(changed({ outputs: [{ ...output, name: "tokens" }] }), null, /is not float32/);
    for (const [at, shape] of [
      [0, "4,3,4"],
      [3, "4,6"],
    ] as const) {
      const name = BASE.graph.nodes[at]!.outputs[0]!;
      const said = new RegExp(`output \\[${shape}\\] is not \\[4, at least 7\\]`);
      refuses(changed({ outputs: [{ ...output, name }] }), null, said);
    }
  });

  test("inputs", () => {
    const input = BASE.graph.inputs[0]!;
    refuses(
      changed({ inputs: [{ ...input, type: OnnxType.float32 }] }),
      null,
      /takes float32 numbers and is given integers/,
    );
    refuses(changed({ inputs: [{ ...input, type: 8 }] }), null, /has element type 8/);
    refuses(changed({ inputs: [{ ...input, dimensions: ["batch", 9] }] }), null, /\[batch,9\], not \[4,3\]/);
    refuses(changed({ inputs: [{ ...input, dimensions: [4, 3, 2] }] }), null, /not \[4,3\]/);
    refuses(changed({ inputs: [{ ...input, dimensions: null }] }), null, /unknown rank/);
  });

  test("files", () => {
    refuses(changed({}, { operatorSets: [{ domain: "", version: 8 }] }), null, /operator set 8/);
    refuses(changed({}, { operatorSets: [{ domain: "", version: 99 }] }), null, /operator set 99/);
    const [table, ...others] = BASE.graph.initializers as [OnnxTensor, ...OnnxTensor[]];
    refuses(changed({ initializers: [table, table, ...others] }), null, /defines "embedding.weight" twice/);
    const empty = { ...table, dimensions: [0, 4], data: new Float32Array(0) };
    refuses(changed({ initializers: [empty, ...others] }), null, /"embedding.weight" has 0 numbers/);
  });

  test("a model without weights", () => {
    const constants = BASE.graph.initializers.map((tensor) => ({
      ...node("Constant", [], tensor.name, { value: { kind: "tensor", value: tensor } }),
      name: "",
    }));
    refuses(changed({ nodes: [...constants, ...BASE.graph.nodes], initializers: [] }), null, /has no parameter/);
  });
});

test("initializers that are listed among the inputs, and ones that nothing uses, do not count", () => {
  const { initializers, inputs } = BASE.graph;
  const listed = initializers.map(({ name, type, dimensions }) => ({ name, type, dimensions }));
  const unused: OnnxTensor = { name: "spare", type: OnnxType.float32, dimensions: [2], data: Float32Array.of(1, 2) };
  const model = changed({ inputs: [...listed, ...inputs], initializers: [unused, ...initializers] });
  assert.deepEqual(compileTraining(model), compileTraining(settings(TINY)));
});

test("weights of another float type are taken as the nearest float32 numbers", () => {
  const initializers = BASE.graph.initializers.map((tensor) => {
    return { ...tensor, type: OnnxType.float64, data: Float64Array.from(tensor.data as Float32Array) };
  });
  assert.deepEqual(compileTraining(changed({ initializers })), compileTraining(settings(TINY)));
});

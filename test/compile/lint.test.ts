import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { lintModel } from "../../shared/compile/lint.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxAttribute, OnnxModel, OnnxNode } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { settings, TINY } from "../helpers/compile.ts";

const root = path.resolve(import.meta.dirname, "../..");
const good = decodeModel(settings(TINY).model);

function node(operator: string, inputs: string[], output: string, domain = ""): OnnxNode {
  return { name: `the ${operator}`, operator, domain, inputs, outputs: [output], attributes: {} };
}

/** The tiny model with nodes behind its logits; "end" becomes the output. */
function followed(...nodes: OnnxNode[]): OnnxModel {
  const [output] = good.graph.outputs as [OnnxModel["graph"]["outputs"][number]];
  const graph = { ...good.graph, nodes: [...good.graph.nodes, ...nodes], outputs: [{ ...output, name: "end" }] };
  return { ...good, graph };
}

const LOGITS = good.graph.outputs[0]!.name;

describe("lint", () => {
  test("finds nothing in a model that can be trained", () => {
    const report = lintModel(good);
    assert.deepEqual(report.findings, []);
    assert.equal(report.nodes, good.graph.nodes.length);
    assert.equal(report.parameters.length, 7);
    assert.deepEqual(report.outputs, [{ name: LOGITS, shape: [4, TINY.vocabulary] }]);
    assert.deepEqual(report.operators, { Gather: 1, Flatten: 1, Gemm: 3, Tanh: 2 });
  });

  test("names every node with a fault, and none that only depends on one", () => {
    const { findings, outputs } = lintModel(
      followed(
        node("Frobnicate", [LOGITS], "a"),
        node("Tanh", ["a"], "b"),
        node("Exotic", ["b"], "c", "com.example"),
        node("Sin", [LOGITS], "d"),
        node("Gemm", [LOGITS, LOGITS], "e"),
        node("Add", ["c", "e"], "end"),
      ),
    );
    assert.deepEqual(
      findings.map(({ operator }) => operator),
      ["Frobnicate", "Exotic", "Sin", "Gemm"],
    );
    assert.match(findings[1]!.problem, /com.example.Exotic is not supported/);
    assert.match(findings[2]!.problem, /where all its inputs are constant/);
    assert.match(findings[3]!.problem, /cannot be multiplied/);
    assert.ok(findings.every(({ node: name, operator, remedy }) => name === `the ${operator}` && remedy));
    assert.deepEqual(outputs, []);
  });

  test("counts parameters by the file where something is to be mended", () => {
    const expected = lintModel(good).parameters;
    const report = lintModel(followed(node("Frobnicate", [LOGITS], "end")));
    assert.equal(report.findings.length, 1);
    assert.deepEqual(report.parameters, expected);
    assert.deepEqual(report.statistics, []);
  });

  test("tells of operators for known numbers behind a fault, where what they read is none", () => {
    const shape = { ...node("Shape", ["a"], "shape"), name: "of the shape" };
    const { findings } = lintModel(
      followed(
        node("Frobnicate", [LOGITS], "a"),
        node("Sin", ["a"], "b"),
        shape,
        node("Mod", ["shape", "shape"], "c"),
        node("CumSum", ["b", "c"], "end"),
      ),
    );
    assert.deepEqual(
      findings.map(({ operator }) => operator),
      ["Frobnicate", "Sin", "CumSum"],
    );
  });

  test("goes on behind an operator set, and an output that no node computes", () => {
    const model = followed(node("Frobnicate", [LOGITS], "other"));
    const { findings, parameters } = lintModel({ ...model, operatorSets: [{ domain: "", version: 8 }] });
    assert.deepEqual(
      findings.map(({ operator, problem }) => operator ?? problem),
      ["it uses operator set 8", "Frobnicate", 'no node computes its output "end"'],
    );
    assert.equal(parameters.length, 7);
  });

  test("warns of what was exported for inference, and of a softmax at the end", () => {
    const read = (name: string) =>
      lintModel(decodeModel(readFileSync(path.join(root, `test/fixtures/pytorch/${name}.onnx`))));
    const trained = read("trainingMode");
    assert.deepEqual([trained.findings, trained.warnings], [[], []]);
    const count = (tensors: readonly { readonly shape: readonly number[] }[]) =>
      tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    assert.deepEqual([count(trained.parameters), count(trained.statistics)], [62, 6]);
    assert.match(read("inferenceStill").warnings.join(), /BatchNormalization.*TrainingMode.TRAINING/);
    assert.match(read("inferenceMerged").warnings.join(), /Conv.*merged.*TrainingMode.TRAINING/);
    for (const operator of ["Softmax", "LogSoftmax"]) {
      const { findings, warnings } = lintModel(followed(node(operator, [LOGITS], "p"), node("Identity", ["p"], "end")));
      assert.deepEqual(findings, []);
      assert.match(warnings.join(), new RegExp(`"end" is a ${operator}.*logits`));
    }
    assert.deepEqual(lintModel(good).warnings, []);
  });

  test("goes on behind faulty initializers and inputs", () => {
    const initializers = good.graph.initializers.map((tensor, i) =>
      i === 1 ? { ...tensor, data: new Float32Array(tensor.data.length).fill(Number.NaN) } : tensor,
    );
    const inputs = good.graph.inputs.map((input) => ({ ...input, type: OnnxType.bool }));
    const { findings } = lintModel({ ...good, graph: { ...good.graph, initializers, inputs } });
    assert.equal(findings.length, 2);
    assert.match(findings[0]!.problem, /is NaN/);
    assert.match(findings[1]!.problem, /element type 9/);
  });

  test("tells of parameters without a gradient, and of models without parameters", () => {
    const blind = lintModel(followed(node("Sign", [LOGITS], "end")));
    assert.match(blind.findings[0]!.problem, /cannot be trained/);
    const [input] = good.graph.inputs;
    const bare = { ...good.graph, initializers: [], inputs: [{ ...input!, type: 1, dimensions: [2, 3] }] };
    const nodes = [node("Tanh", [input!.name], LOGITS)];
    assert.match(lintModel({ ...good, graph: { ...bare, nodes } }).findings[0]!.problem, /has no parameter/);
  });

  test("names nodes that ask for more numbers than anybody has memory for", () => {
    const int64s = (...values: number[]): OnnxAttribute => ({
      kind: "tensor",
      value: { name: "", type: OnnxType.int64, dimensions: [values.length], data: BigInt64Array.from(values, BigInt) },
    });
    const constant = (output: string, ...values: number[]): OnnxNode => {
      return { ...node("Constant", [], output), attributes: { value: int64s(...values) } };
    };
    const [many, ...more] = [2 ** 40, 2 ** 31, -7];
    const constants = [constant("many", many!), constant("one", 1), constant("pair", 0, 1), constant("none", 0)];
    const cases: OnnxNode[][] = [
      [node("ConstantOfShape", ["many"], "made")],
      ...more.map((size) => [constant("size", size), node("ConstantOfShape", ["size"], "made")]),
      [node("Expand", ["one", "many"], "made")],
      [node("Range", ["none", "many", "one"], "made")],
      [node("Tile", ["one", "many"], "made")],
      [node("OneHot", ["none", "many", "pair"], "made")],
      [{ ...node("Split", ["one"], "made"), attributes: { num_outputs: { kind: "int", value: many! } } }],
      [constant("size", many!), node("Split", ["one", "size"], "made")],
      [node("OneHot", [good.graph.inputs[0]!.name, "many", "pair"], "made")],
    ];
    for (const nodes of cases) {
      const asking = nodes.at(-1)!;
      const { findings } = lintModel(followed(...constants, ...nodes, node("Identity", [LOGITS], "end")));
      assert.deepEqual(
        findings.map(({ node: where, operator }) => [where, operator]),
        [[asking.name, asking.operator]],
      );
      assert.match(findings[0]!.problem, /numbers of shape|splits 1 into/);
    }
  });

  for (const name of ["gpt", "llama", "lstm", "gru", "dynamic", "fixed", "matmul"]) {
    test(`finds nothing in ${name}.onnx, which PyTorch exported`, () => {
      const bytes = readFileSync(path.join(root, `test/fixtures/pytorch/${name}.onnx`));
      assert.deepEqual(lintModel(decodeModel(bytes)).findings, []);
    });
  }
});

describe("touchstone lint", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "touchstone-lint-"));
  after(() => rmSync(folder, { recursive: true }));
  const run = (model: OnnxModel, ...args: string[]) => {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, encodeModel(model));
    const cli = path.join(root, "requester/cli.ts");
    return spawnSync(process.execPath, [cli, "lint", file, ...args], { encoding: "utf8" });
  };

  test("ends with 0 where there is nothing to mend", () => {
    const { status, stdout } = run(good, "--batch", "2");
    assert.equal(status, 0);
    assert.match(stdout, /inputs {2}tokens \[2,3\][\s\S]*It can be trained/);
  });

  test("says in a sentence that a file is not there, or is no model", () => {
    const cli = path.join(root, "requester/cli.ts");
    const text = path.join(folder, "text.onnx");
    writeFileSync(text, "This is no model.\n");
    const refused = (file: string) => spawnSync(process.execPath, [cli, "lint", file], { encoding: "utf8" });
    for (const [file, message] of [
      [path.join(folder, "absent.onnx"), /^error: \S+absent.onnx cannot be read: there is no such file\. .*\n$/],
      [folder, /^error: \S+ cannot be read: it is a folder\. .*\n$/],
      [text, /^error: .*it is no ONNX model.*\n$/],
    ] as const) {
      const { status, stderr } = refused(file);
      assert.equal(status, 1);
      assert.match(stderr, message);
    }
  });

  test("ends with 1 and says what is to be mended", () => {
    const model = followed(node("Frobnicate", [LOGITS], "end"));
    const { status, stdout } = run(model);
    assert.equal(status, 1);
    assert.match(stdout, /the Frobnicate \(Frobnicate\): operator Frobnicate is not supported[\s\S]*1 to mend/);
    const json = run(model, "--json");
    assert.equal(json.status, 1);
    const event = JSON.parse(json.stdout) as { event: string; findings: { node: string }[] };
    assert.equal(event.event, "lint");
    assert.deepEqual(
      event.findings.map((finding) => finding.node),
      ["the Frobnicate"],
    );
  });
});

/** Networks that PyTorch exported in training mode: what they compute, with nothing dropped, and what they drop. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { differentiate } from "../../../shared/compile/differentiate.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { SourceGraph } from "../../../shared/graph/graph.ts";
import { lower } from "../../../shared/graph/lower.ts";
import { importModel, type Parameter } from "../../../shared/import/import.ts";
import { stepInputs } from "../../../shared/job/job.ts";
import { requireWellFormed } from "../../../shared/job/validate.ts";
import { elementwise } from "../../../shared/layers/elementwise.ts";
import { constant, state } from "../../../shared/layers/leaf.ts";
import { meanSquaredError } from "../../../shared/layers/meanSquaredError.ts";
import { decodeModel } from "../../../shared/onnx/decode.ts";
import type { OnnxModel, OnnxNode } from "../../../shared/onnx/model.ts";
import { Dtype, wordCount } from "../../../shared/program/descriptor.ts";
import { ModelError } from "../../../shared/program/errors.ts";
import type { Program, Tensor } from "../../../shared/program/program.ts";
import { floats } from "../../helpers/operators.ts";

const FOLDER = path.join(import.meta.dirname, "../../fixtures/pytorch");
const MOVING = decodeModel(readFileSync(path.join(FOLDER, "moving.onnx")));
const EXPECTED = JSON.parse(readFileSync(path.join(FOLDER, "moving.json"), "utf8")) as {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
};

interface Imported {
  readonly program: Program;
  readonly parameters: readonly Parameter[];
}

/** The network on the recorded input; the loss is the mean of the squared outputs, next states are its gradients. */
function importMoving(model: OnnxModel, training: boolean): Imported {
  const graph = new SourceGraph();
  const x = constant(graph, "x", { dtype: Dtype.float32, shape: [3, 2, 7], words: floats(...EXPECTED.x) });
  const { outputs, parameters } = importModel(graph, model, { inputs: new Map([["x", x]]), training });
  const y = outputs.get("y")!;
  const shape = graph.shape(y);
  const zeros = constant(graph, "zeros", { dtype: Dtype.float32, shape, words: new Uint32Array(wordCount(shape)) });
  const loss = meanSquaredError(graph, y, zeros, "loss");
  const values = parameters.map(({ value }) => value);
  const gradients = differentiate(graph, loss, values);
  const updates = values.map((value, i) => ({
    value,
    next: elementwise(graph, `${graph.name(value)}.next`, "flush", [gradients[i]!], (map, [g]) => map.flush(g!)),
  }));
  const fields = [{ name: "unused", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
  const program = lower({ graph, state: updates, loss, logits: y, fields, scheduleColumns: [] });
  requireWellFormed(program);
  return { program, parameters };
}

async function traceOf({ program, parameters }: Imported, step: number) {
  const initial = parameters.map(({ initial: words }, p): Tensor => {
    const { dtype, shape } = program.state[p]!;
    return { dtype, shape, words };
  });
  const nothing = { samples: new Uint32Array(1), schedule: new Uint32Array(0), seed: 3n, steps: 9, interval: 9 };
  return new ReferenceEngine(program).trace(stepInputs({ program, ...nothing }, step, initial));
}

const numbersOf = ({ words }: Tensor) => [...new Float32Array(words.buffer, words.byteOffset, words.length)];

function near(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [i, value] of expected.entries())
    assert.ok(
      Math.abs(actual[i]! - value) <= 2e-6 * Math.max(1, Math.abs(value)),
      `${what} ${i}: ${actual[i]}, ${value}`,
    );
}

/** The model with every Dropout changed. */
function withDropout(change: (node: OnnxNode) => Partial<OnnxNode>, operatorSet = 17): OnnxModel {
  const nodes = MOVING.graph.nodes.map((node) => (node.operator === "Dropout" ? { ...node, ...change(node) } : node));
  return { ...MOVING, operatorSets: [{ domain: "", version: operatorSet }], graph: { ...MOVING.graph, nodes } };
}

describe("a network that cuts, flips, pads, joins and drops", () => {
  test("computes PyTorch's outputs and gradients where nothing is dropped", async () => {
    const imported = importMoving(MOVING, false);
    assert.ok(imported.program.operators.every(({ operator }) => operator.family !== "random"));
    const { outputs, state: gradients } = await traceOf(imported, 0);
    near(numbersOf(outputs[imported.program.logits!]!), EXPECTED.y, "y");
    for (const [p, { name }] of imported.parameters.entries())
      near(numbersOf(gradients[p]!), EXPECTED.gradients[name]!, `gradient of ${name}`);
  });

  test("drops other elements at every Dropout and every step of a training", async () => {
    const imported = importMoving(MOVING, true);
    const streams = imported.program.operators.flatMap(({ operator }) =>
      operator.family === "random" ? [operator.stream] : [],
    );
    assert.deepEqual(streams, [0, 1]);
    const [first, again, second] = await Promise.all([0, 0, 1].map((step) => traceOf(imported, step)));
    assert.deepEqual(first, again);
    assert.notEqual(first!.loss, second!.loss);
  });

  test("a network exported for evaluation, or in a set without training mode, drops nothing", () => {
    const inert: readonly OnnxModel[] = [
      withDropout(({ inputs }) => ({ inputs: inputs.slice(0, 2) })),
      withDropout(
        ({ inputs }) => ({ inputs: inputs.slice(0, 1), attributes: { ratio: { kind: "float", value: 0.5 } } }),
        11,
      ),
    ];
    for (const model of inert) {
      const { program } = importMoving(model, true);
      assert.ok(program.operators.every(({ operator }) => operator.family !== "random"));
    }
  });

  test("a ratio or a training mode that is computed is refused", () => {
    const graph = new SourceGraph();
    const inputs = new Map([["x", state(graph, "x", [3, 2, 7])]]);
    for (const at of [1, 2]) {
      const model = withDropout(({ inputs: names }) => ({ inputs: names.with(at, names[0]!) }));
      assert.throws(
        () => importModel(graph, model, { inputs }),
        (error) => error instanceof ModelError && /not constant/.test(error.message),
      );
    }
  });
});

/** What of LSTM, GRU, Einsum and normalisation nodes is refused, and a layout that ONNX Runtime does not run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { SourceGraph } from "../../../shared/graph/graph.ts";
import { lower } from "../../../shared/graph/lower.ts";
import { importModel } from "../../../shared/import/import.ts";
import { state } from "../../../shared/layers/leaf.ts";
import type { OnnxAttribute, OnnxModel } from "../../../shared/onnx/model.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Dtype, wordCount } from "../../../shared/program/descriptor.ts";
import { ModelError } from "../../../shared/program/errors.ts";
import type { Program } from "../../../shared/program/program.ts";
import { numbers } from "../../helpers/compile.ts";
import { floats } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";
import { floatAttribute, int, string, strings } from "./harness.ts";

const [STEPS, BATCH, INPUTS, HIDDEN] = [3, 2, 3, 2];

type Shapes = readonly (readonly number[] | null)[];

/** A model of one node whose inputs are of the given shapes (null: left out). */
function modelOf(operator: string, shapes: Shapes, attributes: Record<string, OnnxAttribute>, outputs = 1): OnnxModel {
  const names = Array.from({ length: outputs }, (_, at) => `y${at}`);
  const inputs = shapes.map((shape, at) => (shape === null ? "" : `x${at}`));
  return {
    irVersion: 8,
    producer: "",
    operatorSets: [{ domain: "", version: 17 }],
    graph: {
      name: "case",
      nodes: [{ name: "node", operator, domain: "", inputs, outputs: names, attributes }],
      initializers: [],
      inputs: shapes.flatMap((shape, at) =>
        shape === null ? [] : [{ name: `x${at}`, type: OnnxType.float32, dimensions: shape }],
      ),
      outputs: names.map((name) => ({ name, type: OnnxType.float32, dimensions: null })),
    },
  };
}

function imported(model: OnnxModel) {
  const graph = new SourceGraph();
  const inputs = new Map(
    model.graph.inputs.map(({ name, dimensions }) => [name, state(graph, name, dimensions as number[])]),
  );
  return { graph, outputs: [...importModel(graph, model, { inputs }).outputs.values()], inputs };
}

const lstm = (changes: Record<number, readonly number[] | null> = {}): Shapes => {
  const usual: Shapes = [
    [STEPS, BATCH, INPUTS],
    [1, 4 * HIDDEN, INPUTS],
    [1, 4 * HIDDEN, HIDDEN],
    [1, 8 * HIDDEN],
    null,
    null,
    null,
    null,
  ];
  return usual.map((shape, at) => (changes[at] === undefined ? shape : changes[at]!));
};

describe("refused by name", () => {
  const cases: [string, string, Shapes, Record<string, OnnxAttribute>, RegExp][] = [
    ["a direction", "LSTM", lstm(), { direction: string("sideways") }, /its direction is none/],
    ["other activations", "LSTM", lstm(), { activations: strings("Relu", "Tanh", "Tanh") }, /activations are relu/],
    ["activations that differ", "RNN", lstm(), { activations: strings("Affine") }, /activations are affine/],
    ["sequence lengths", "LSTM", lstm({ 4: [BATCH] }), {}, /lengths of its own/],
    ["peepholes", "LSTM", lstm({ 7: [1, 3 * HIDDEN] }), {}, /peephole weights/],
    ["a clip", "LSTM", lstm(), { clip: floatAttribute(1) }, /it clips/],
    ["coupled gates", "LSTM", lstm(), { input_forget: int(1) }, /couples its gates/],
    ["a bias of another size", "LSTM", lstm({ 3: [1, 7] }), {}, /input 3 is \[1,7\], not \[1,16\]/],
    ["weights for one direction of two", "GRU", lstm(), { direction: string("bidirectional") }, /input 1 is \[1,8,3\]/],
    [
      "an initial state of another batch",
      "LSTM",
      lstm({ 5: [1, 9, HIDDEN] }),
      {},
      /input 5 is \[1,9,2\], not \[1,2,2\]/,
    ],
    [
      "an ellipsis",
      "Einsum",
      [
        [2, 3],
        [3, 4],
      ],
      { equation: string("...j,jk->...k") },
      /equation is/,
    ],
    ["a diagonal", "Einsum", [[3, 3]], { equation: string("ii->i") }, /equation is "ii->i"/],
    [
      "three tensors",
      "Einsum",
      [
        [2, 2],
        [2, 2],
        [2, 2],
      ],
      { equation: string("ij,jk,kl->il") },
      /equation is/,
    ],
    [
      "lengths that differ",
      "Einsum",
      [
        [2, 3],
        [4, 5],
      ],
      { equation: string("ij,jk->ik") },
      /\[4,5\] is not what "jk"/,
    ],
    ["a letter from nowhere", "Einsum", [[2, 3]], { equation: string("ij->k") }, /does not name its inputs/],
    ["a short scale", "LayerNormalization", [[2, 6], [3]], {}, /\[3\] has not the 6 elements/],
    ["an unknown GELU", "Gelu", [[2, 6]], { approximate: string("cubic") }, /approximate is "cubic"/],
  ];
  for (const [what, operator, shapes, attributes, message] of cases) {
    test(`${operator}: ${what}`, () => {
      assert.throws(
        () => imported(modelOf(operator, shapes, attributes)),
        (error) => error instanceof ModelError && message.test(error.message) && error.remedy !== "",
      );
    });
  }
});

/** All outputs of a node for the given inputs. */
async function outputsOf(model: OnnxModel, values: readonly (readonly number[] | null)[]): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const at of model.graph.outputs.keys()) {
    const { graph, outputs, inputs } = imported(model);
    const fields = [{ name: "none", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
    const states = [...inputs.values()].map((value) => ({ value, next: null }));
    const output = outputs[at]!;
    const program: Program = lower({
      graph,
      state: states,
      loss: output,
      logits: output,
      fields,
      scheduleColumns: [],
    } as Parameters<typeof lower>[0]);
    const words = values.flatMap((each) => (each === null ? [] : [floats(...each)]));
    const tensors = program.state.map(({ dtype, shape }, index) => ({ dtype, shape, words: words[index]! }));
    const trace = await new ReferenceEngine(program).trace({ state: tensors, batches: new Map(), schedule: new Map() });
    results.push(numbers(trace.outputs[program.logits!]!));
  }
  return results;
}

/** Swaps the first two axes of row-major numbers. */
function swapped(values: ArrayLike<number>, [a, b, ...rest]: readonly number[]): number[] {
  const inner = wordCount(rest);
  return Array.from({ length: a! * b! * inner }, (_, at) => {
    const [row, column, k] = [Math.floor(at / (a! * inner)), Math.floor(at / inner) % a!, at % inner];
    return values[(column * b! + row) * inner + k]!;
  });
}

for (const [operator, gates, count] of [
  ["LSTM", 4, 3],
  ["GRU", 3, 2],
] as const) {
  test(`${operator}: layout 1 is layout 0 with the batch first`, async () => {
    const random = new Random(3);
    const shapes: Shapes = [
      [STEPS, BATCH, INPUTS],
      [2, gates * HIDDEN, INPUTS],
      [2, gates * HIDDEN, HIDDEN],
      [2, 2 * gates * HIDDEN],
      null,
      [2, BATCH, HIDDEN],
    ];
    const values = shapes.map((shape) =>
      shape === null ? null : Array.from({ length: wordCount(shape) }, () => Math.fround(2 * random.unit() - 1)),
    );
    const batchFirst = shapes.map((shape, at) =>
      at === 0 ? [BATCH, STEPS, INPUTS] : at === 5 ? [BATCH, 2, HIDDEN] : shape,
    );
    const turned = values.map((each, at) => (at === 0 || at === 5 ? swapped(each!, shapes[at]!) : each));
    const direction = { direction: string("bidirectional") };
    const usual = await outputsOf(modelOf(operator, shapes, direction, count), values);
    const first = await outputsOf(modelOf(operator, batchFirst, { ...direction, layout: int(1) }, count), turned);
    // [steps, directions, batch, hidden] against [batch, steps, directions, hidden]; [directions, batch, hidden] against [batch, directions, hidden].
    assert.deepEqual(swapped(first[0]!, [BATCH, STEPS * 2, HIDDEN]), [...usual[0]!]);
    for (let at = 1; at < count; at++) assert.deepEqual(swapped(first[at]!, [BATCH, 2, HIDDEN]), [...usual[at]!]);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { GraphBuilder } from "../../../shared/engine/realise/graph.ts";
import { takeView } from "../../../shared/engine/realise/views.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { type Operand, type Operator, wordCount } from "../../../shared/program/descriptor.ts";
import { Random } from "../../helpers/random.ts";
import { FORMS, openLocal } from "../compare.ts";
import { assertElementRule, floatTensor, operandOf, ROUNDS, shuffled, singleProgram } from "./single.ts";

/** A Map that copies one view. */
const copy = (operand: Operand, shape: readonly number[]): Operator => ({
  ...{ family: "map", dtype: 0, shape, operands: [operand] },
  ...{ immediates: [], instructions: [] },
});

/** Kinds of nodes that the view takes. */
function nodesOf(count: number, offset: number, strides: readonly number[], lengths: readonly number[]): string[] {
  const graph = new GraphBuilder();
  const source = graph.input("x", OnnxType.float32, [count]);
  const operand: Operand = { reference: { kind: "state", index: 0 }, dtype: 0, count, offset, strides };
  graph.output(takeView(graph, source, operand, lengths).value);
  return graph.build("view").nodes.map((node) => node.operator);
}

test("reshapes, slices and broadcasts need no copy by address", () => {
  assert.deepEqual(nodesOf(24, 0, [12, 4, 1], [2, 3, 4]), ["Reshape"]);
  assert.deepEqual(nodesOf(24, 0, [1, 6], [6, 4]), ["Reshape"], "transposed: memory order");
  assert.deepEqual(nodesOf(24, 0, [0, 1], [5, 24]), ["Identity"], "broadcast");
  assert.deepEqual(nodesOf(24, 6, [3, 1], [4, 3]), ["Slice", "Reshape"], "contiguous part");
  assert.deepEqual(nodesOf(24, 2, [6, 1], [4, 3]), ["Reshape", "Slice", "Reshape"], "columns");
  assert.deepEqual(nodesOf(24, 1, [6, 2], [4, 2]), ["Reshape", "Slice", "Reshape"], "every second column");
  assert.deepEqual(nodesOf(23, 2, [6, 1], [3, 3]).includes("Gather"), false, "columns of an incomplete matrix");
  assert.deepEqual(nodesOf(50, 6, [25, 10, 2], [2, 2, 2]), ["Reshape", "Slice"], "every second of odd axes");
  assert.deepEqual(nodesOf(24, 5, [0, 0], [7, 7]), ["Slice"], "one word");
  assert.deepEqual(nodesOf(24, 0, [1, 1], [20, 5]), ["Gather"], "overlapping windows");
  assert.deepEqual(nodesOf(24, 23, [-1], [24]), ["Gather"], "reversed");
});

test("any view inside its tensor is read as the element rule reads it", async () => {
  const random = new Random(70);
  for (let round = 0; round < ROUNDS; round++) {
    const state = [floatTensor(random, [random.between(1, 60)])];
    const count = state[0]!.words.length;
    const operators: Operator[] = [];
    while (operators.length < 8) {
      const shape = Array.from({ length: random.below(5) }, () => random.between(1, 5));
      const strides = shape.map(() => random.pick([0, 1, 1, 2, 3, 5, 6, 12, -1, -4]));
      const offset = random.below(count);
      const reach = (sign: number) => shape.reduce((sum, n, d) => sum + Math.max(0, sign * strides[d]!) * (n - 1), 0);
      if (offset + reach(1) < count && offset - reach(-1) >= 0) {
        operators.push(copy(operandOf(state, 0, offset, strides), shape));
      }
    }
    await assertElementRule(state, operators);
  }
});

test("permuted and broadcast views of a tensor of rank up to 6", async () => {
  const random = new Random(71);
  for (let round = 0; round < ROUNDS; round++) {
    const shape = Array.from({ length: random.between(1, 6) }, () => random.between(1, 3));
    const state = [floatTensor(random, shape)];
    const strides = shape.map((_, d) => wordCount(shape.slice(d + 1)));
    const order = shuffled(random, shape.length);
    const dimensions = order.map((d) => ({ length: shape[d]!, stride: strides[d]! }));
    while (dimensions.length < 6) {
      dimensions.splice(random.below(dimensions.length + 1), 0, { length: random.between(1, 2), stride: 0 });
    }
    const operand = operandOf(
      state,
      0,
      0,
      dimensions.map(({ stride }) => stride),
    );
    const lengths = dimensions.map(({ length }) => length);
    await assertElementRule(state, [copy(operand, lengths)]);
  }
});

test("a view that leaves its tensor is refused with the operator's name", async () => {
  const state = [floatTensor(new Random(72), [10])];
  for (const [offset, stride] of [
    [0, 2],
    [6, 1],
    [3, -1],
  ] as const) {
    const program = singleProgram(state, [copy(operandOf(state, 0, offset, [stride]), [6])]);
    for (const form of FORMS) {
      const message = /Operator map0 .* of state 0/;
      await assert.rejects(openLocal(program, 1, form), { code: "UNREALISABLE", message });
    }
  }
});

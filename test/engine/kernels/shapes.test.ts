/** Shapes that kernels treat apart: products with a vector, and operands that lie across what is computed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { elementwiseKernel } from "../../../shared/engine/kernels/elementwise.ts";
import { planProgram } from "../../../shared/engine/kernels/plan.ts";
import {
  type DotOperator,
  Dtype,
  MapOpcode,
  type MapOperator,
  type PeakOperator,
  wordCount,
} from "../../../shared/program/descriptor.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { floats } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";
import { CPU_FORMS, openLocal } from "../compare.ts";
import { assertElementRule, floatTensor, indexTensor, operandOf, ROUNDS, singleProgram } from "../realise/single.ts";

const powersOfTwo = (random: Random, count: number): Tensor => ({
  dtype: Dtype.float32,
  shape: [count],
  words: floats(...Array.from({ length: count }, () => random.pick([4, 8, 64]))),
});

/** out[g, i] = Σ_k a[g, i, k] · b[g, k] or a[g, k] · b[g, i, k], each factor with one peak or one for each g. */
function vectorProduct(random: Random): { state: Tensor[]; operator: DotOperator } {
  const [groups, rows, length] = [random.between(1, 3), random.between(1, 7), random.between(1, 21)];
  const state = [
    random.chance(0.3)
      ? indexTensor(random, [groups, rows, length], -4, 4)
      : floatTensor(random, [groups, rows, length]),
    floatTensor(random, [groups, length]),
    powersOfTwo(random, groups),
  ];
  const peak = () => operandOf(state, 2, 0, [random.pick([0, groups === 1 ? 0 : 1]), 0, 0]);
  const matrix = operandOf(state, 0, 0, [rows * length, length, 1]);
  const vector = operandOf(state, 1, 0, random.chance(0.2) ? [0, 0, 0] : [length, 0, 1]);
  const operands = random.chance(0.5)
    ? ([matrix, vector, peak(), peak()] as const)
    : ([vector, matrix, peak(), peak()] as const);
  const bits = random.pick([20, 13, 22]);
  return { state, operator: { family: "dot", dtype: 0, shape: [groups, rows], length, bits, operands } };
}

test("products with a vector are summed where they lie", async () => {
  const random = new Random(511);
  for (let round = 0; round < ROUNDS / 2; round++) {
    const { state, operator } = vectorProduct(random);
    await assertElementRule(state, [operator]);
    const { commands } = planProgram(singleProgram(state, [operator]));
    assert(commands.every((command) => command.kind !== "product"));
  }
});

test("a left factor that lies the other way round is turned as it is copied", async () => {
  const random = new Random(512);
  for (const [rows, length, columns] of [
    [4, 4, 5],
    [8, 12, 8],
    [12, 132, 3],
    [5, 8, 6],
    [8, 6, 7],
    [132, 256, 2],
  ] as const) {
    const state = [floatTensor(random, [length, rows]), floatTensor(random, [length, columns]), powersOfTwo(random, 1)];
    const peak = operandOf(state, 2, 0, [0, 0, 0]);
    const [a, b] = [operandOf(state, 0, 0, [1, 0, rows]), operandOf(state, 1, 0, [0, 1, columns])];
    const operands = [a, b, peak, peak] as const;
    const operator: DotOperator = { family: "dot", dtype: 0, shape: [rows, columns], length, bits: 18, operands };
    await assertElementRule(state, [operator]);
    const products = planProgram(singleProgram(state, [operator])).commands.flatMap((command) =>
      command.kind === "product" ? [command.transposed[0]] : [],
    );
    assert.deepEqual(products, [rows % 4 !== 0 || length % 4 !== 0]);
  }
});

test("a wide product by panels has the words of one product, and is measured as a whole", async () => {
  const random = new Random(514);
  const [rows, length, columns] = [3, 128, 8192];
  for (const isTurned of [false, true]) {
    const few = floatTensor(random, [997]).words;
    const b = {
      dtype: Dtype.float32,
      shape: isTurned ? [columns, length] : [length, columns],
      words: Uint32Array.from({ length: length * columns }, (_, i) => few[i % few.length]!),
    };
    // The greatest number stands in the first panel.
    for (let k = 0; k < length; k++) b.words[isTurned ? k : k * columns] = floats(4)[0]!;
    const a = { dtype: Dtype.float32, shape: [rows, length], words: floats(...new Array(rows * length).fill(3.75)) };
    const state = [a, b, powersOfTwo(random, 1)];
    const scale = operandOf(state, 2, 0, [0, 0, 0]);
    const sides = [
      operandOf(state, 0, 0, [length, 0, 1]),
      operandOf(state, 1, 0, isTurned ? [0, length, 1] : [0, 1, columns]),
    ] as const;
    const operands = [...sides, scale, scale] as const;
    const dot: DotOperator = { family: "dot", dtype: 0, shape: [rows, columns], length, bits: 20, operands };
    const made = { reference: { kind: "operator", index: 0 }, dtype: 0, count: rows * columns, offset: 0 } as const;
    const peak: PeakOperator = {
      family: "peak",
      dtype: 0,
      shape: [1],
      length: rows * columns,
      mode: 0,
      operands: [{ ...made, strides: [0, 1] }],
    };
    const program = singleProgram(state, [dot, peak]);
    const products = planProgram(program).commands.filter(({ kind }) => kind === "product");
    assert(products.length >= 4);
    const traces = [];
    for (const form of CPU_FORMS) {
      const engine = await openLocal(program, 1, form);
      traces.push(await engine.trace({ state, batches: new Map(), schedule: new Map() }));
      await engine.close();
    }
    assert.deepEqual(traces[1], traces[0]);
    assert.deepEqual(traces[1]!.outputs[1]!.words, floats(4 * 3.75 * length));
  }
});

test("Maps of operands that lie across them have the rule's words, whatever lies beside", async () => {
  const random = new Random(513);
  for (let round = 0; round < ROUNDS / 2; round++) {
    const [outer, rows, columns] = [random.between(1, 3), 4 * random.between(1, 4), 4 * random.between(1, 40)];
    const size = [outer, rows, columns];
    const state = [
      random.chance(0.3) ? indexTensor(random, size, -99, 99) : floatTensor(random, size),
      floatTensor(random, size),
      floatTensor(random, [outer, 4 * rows, columns]),
    ];
    const across = operandOf(state, 0, 0, [rows * columns, 1, rows]);
    const others = [
      operandOf(state, 1, 0, [rows * columns, columns, 1]),
      operandOf(state, 1, 0, [0, 1, rows]),
      operandOf(state, 1, 1, [0, 0, 1]),
      operandOf(state, 1, 0, [rows, 1, 0]),
      operandOf(state, 2, 0, [4 * rows * columns, 4 * columns, 1]),
      operandOf(state, 2, 0, [0, 1, 4 * rows]),
    ];
    const operator: MapOperator = {
      family: "map",
      dtype: 0,
      shape: size,
      immediates: [],
      instructions: [[MapOpcode.sub, 0, 1, 0]],
      operands: random.chance(0.5) ? [across, random.pick(others)] : [random.pick(others), across],
    };
    await assertElementRule(state, [operator]);
  }
});

test("what lies across is cut among threads by whole tiles", () => {
  const cut = (lengths: readonly number[], strides: readonly number[]) =>
    elementwiseKernel({
      lengths,
      inputs: [{ type: "float32", strides }],
      output: "float64",
      measure: false,
      expression: (_, [value]) => value!,
    }).extent;
  for (const [lengths, strides] of [
    [
      [8, 4],
      [1, 8],
    ],
    [
      [64, 1024],
      [1, 64],
    ],
    [
      [3, 12, 20],
      [240, 1, 12],
    ],
  ] as const) {
    const { length, unit, inner } = cut(lengths, strides);
    assert.equal(unit, 1);
    assert.equal(length * inner, wordCount(lengths));
  }
});

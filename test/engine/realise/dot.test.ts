import assert from "node:assert/strict";
import { test } from "node:test";
import type { DotOperator } from "../../../shared/program/descriptor.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { floats } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";
import { ARITHMETICS, openLocal } from "../compare.ts";
import { assertElementRule, operandOf, singleProgram } from "./single.ts";

/** Rows of a times one column, both on the grid of their peaks, one scale for all. */
function product(
  rows: readonly (readonly number[])[],
  column: readonly number[],
  bits: number,
  peak = 1,
): { state: Tensor[]; operator: DotOperator } {
  const length = column.length;
  const unit = peak / 2 ** bits;
  const tensor = (values: readonly number[], shape: number[]): Tensor => ({
    dtype: 0,
    shape,
    words: floats(...values),
  });
  const state = [
    tensor(
      rows.flat().map((digits) => digits * unit),
      [rows.length, length],
    ),
    tensor(
      column.map((digits) => digits * unit),
      [length, 1],
    ),
    tensor([peak], [1]),
  ];
  const scale = operandOf(state, 2, 0, [0, 0, 0]);
  const operands = [operandOf(state, 0, 0, [length, 0, 1]), operandOf(state, 1, 0, [0, 1, 1]), scale, scale] as const;
  return { state, operator: { family: "dot", dtype: 0, shape: [rows.length, 1], length, bits, operands } };
}

test("sums that lie in or next to the middle of two float32s are rounded once in every realisation", async () => {
  const random = new Random(85);
  for (const bits of [20, 22, 17, 13]) {
    const most = 2 ** bits;
    // c · 2^P + d · 2^10 + e reaches every integer up to 2^(2P).
    const column = [most, 2 ** 10, 1];
    const rows: number[][] = [];
    for (let round = 0; round < 400; round++) {
      const length = random.between(25, 2 * bits);
      const half = 2n ** BigInt(length - 25);
      const head = BigInt(random.pick([0, 1, 2, 2 ** 23 - 1, random.below(2 ** 23), random.below(2 ** 23)]));
      const target = 2n ** BigInt(length - 1) + head * 2n * half + half + BigInt(random.between(-1, 1));
      const [c, rest] = [target / BigInt(most), target % BigInt(most)];
      if (c > BigInt(most)) continue;
      const row = [Number(c), Number(rest >> 10n), Number(rest & 1023n)];
      rows.push(random.chance(0.5) ? row : row.map((digits) => -digits));
    }
    for (const peak of [1, 2 ** -40, 2 ** 20]) {
      const { state, operator } = product(rows, column, bits, peak);
      await assertElementRule(state, [operator], `${bits} bits, peak ${peak}`);
    }
  }
});

test("the largest sums that validity allows are exact, at every number of digits", async () => {
  for (const [bits, length] of [
    [22, 512],
    [20, 8192],
    [13, 8191],
    [6, 4097],
    [1, 9000],
  ] as const) {
    const most = 2 ** bits;
    const ends = [
      Array.from({ length }, () => most),
      Array.from({ length }, () => -most),
      Array.from({ length }, (_, k) => (k % 2 ? most : 1 - most)),
      Array.from({ length }, (_, k) => (k === length - 1 ? 1 : most)),
      Array.from({ length }, (_, k) => (k < length / 2 ? most : k === length - 1 ? 1 - most : -most)),
    ];
    const { state, operator } = product(ends, ends[0]!, bits);
    await assertElementRule(state, [operator], `${bits} bits, length ${length}`);
  }
});

test("every digit carries its own sign: all numbers of a small grid with each other", async () => {
  const numbers = Array.from({ length: 2 * 2 ** 8 + 1 }, (_, i) => i - 2 ** 8);
  const rows = numbers.map((digits) => [digits]);
  for (const column of [2 ** 8, -(2 ** 8), 127, -129, 63, 64, 65, 1]) {
    const { state, operator } = product(rows, [column], 8);
    await assertElementRule(state, [operator]);
  }
});

test("a length of many blocks, and scales by row and column", async () => {
  const random = new Random(86);
  // 65 whole lengths of 4096 and a rest: more than one fold adds up at a time.
  const length = 65 * 4096 + 17;
  const values = (count: number) =>
    new Uint32Array(Float32Array.from({ length: count }, () => (random.below(2049) - 1024) / 1024).buffer);
  const state: Tensor[] = [
    { dtype: 0, shape: [2, length], words: values(2 * length) },
    { dtype: 0, shape: [length, 3], words: values(3 * length) },
    { dtype: 0, shape: [2], words: floats(1, 8) },
    { dtype: 0, shape: [3], words: floats(1, 2, 64) },
  ];
  const operands = [
    ...[operandOf(state, 0, 0, [length, 0, 1]), operandOf(state, 1, 0, [0, 1, 3])],
    ...[operandOf(state, 2, 0, [1, 0, 0]), operandOf(state, 3, 0, [0, 1, 0])],
  ] as unknown as DotOperator["operands"];
  const operator: DotOperator = { family: "dot", dtype: 0, shape: [2, 3], length, bits: 17, operands };
  await assertElementRule(state, [operator]);
});

test("constant scales as large as they may be leave digits room", async () => {
  const { state, operator } = product([[3, 5]], [7, 11], 20, 2 ** 20);
  const [a, b, scale] = operator.operands;
  const constant = { ...scale, reference: { kind: "constant", index: 0 } } as const;
  const program = {
    ...singleProgram(state.slice(0, 2), [{ ...operator, operands: [a, b, constant, constant] }]),
    constants: [{ dtype: 0 as const, shape: [1], words: floats(2 ** 20) }],
  };
  const inputs = { state: state.slice(0, 2), batches: new Map(), schedule: new Map() };
  for (const arithmetic of ARITHMETICS) {
    const engine = await openLocal(program, 1, arithmetic);
    assert.deepEqual((await engine.trace(inputs)).outputs[0]!.words, floats(21 + 55));
    await engine.close();
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type JoinRange, type Operand, type Operator, wordCount } from "../../../shared/program/descriptor.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { floats, ints } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";
import { FORMS, openLocal } from "../compare.ts";
import { assertElementRule, floatTensor, indexTensor, operandOf, ROUNDS, shuffled, singleProgram } from "./single.ts";

/** Strides of a tensor whose axes are the given index dimensions in this order, over `rank` dimensions. */
function layout(
  order: readonly number[],
  lengths: readonly number[],
  rank: number,
): { shape: number[]; strides: number[] } {
  const shape = order.map((d) => lengths[d]!);
  const strides = new Array<number>(rank).fill(0);
  for (const [axis, d] of order.entries()) strides[d] = wordCount(shape.slice(axis + 1));
  return { shape, strides };
}

test("Dot over any split of the output into batch, left and right dimensions, in any order and storage", async () => {
  const random = new Random(80);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.below(5);
    const shape = Array.from({ length: rank }, () => random.between(1, 4));
    const length = random.pick([1, 2, 7, 19]);
    const lengths = [...shape, length];
    // 0: left, 1: right, 2: both, 3: neither.
    const side = shape.map(() => random.pick([0, 0, 1, 1, 2, 3]));
    const storage = (own: number) => {
      const dimensions = [...shape.keys()].filter((d) => side[d] === own || side[d] === 2);
      // Now and then an operand does not move along the reduced axis.
      const all = random.chance(0.1) ? dimensions : [...dimensions, rank];
      return layout(
        shuffled(random, all.length).map((i) => all[i]!),
        lengths,
        rank + 1,
      );
    };
    const [left, right] = [storage(0), storage(1)];
    const peaks = (strides: readonly number[]) => {
      const along = [...shape.keys()].filter((d) => strides[d] !== 0 && random.chance(0.4));
      return layout(along, lengths, rank + 1);
    };
    const [leftPeak, rightPeak] = [peaks(left.strides), peaks(right.strides)];
    const powers = ({ shape }: { shape: number[] }): Tensor => ({
      ...{ dtype: 0, shape },
      words: floats(...Array.from({ length: wordCount(shape) }, () => 2 ** random.between(2, 5))),
    });
    const state = [
      ...[floatTensor(random, left.shape), floatTensor(random, right.shape)],
      ...[powers(leftPeak), powers(rightPeak)],
    ];
    const operands = [left, right, leftPeak, rightPeak].map(({ strides }, p) => operandOf(state, p, 0, strides));
    const bits = random.pick([20, 22, 9, 3, 1]);
    await assertElementRule(state, [{ family: "dot", dtype: 0, shape, length, bits, operands } as unknown as Operator]);
  }
});

test("Join of any number of operands in any storage, with and without gaps, of either dtype", async () => {
  const random = new Random(84);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.between(1, 5);
    const lengths = Array.from({ length: rank }, () => random.between(1, 3));
    const axis = random.below(rank);
    const dtype = random.pick([0, 1] as const);
    const state: Tensor[] = [];
    const operands: Operand[] = [];
    const ranges: JoinRange[] = [];
    let end = 0;
    for (let part = random.between(1, 8); part > 0; part--) {
      const start = end + (random.chance(0.4) ? random.between(1, 3) : 0);
      const extent = random.between(1, 4);
      end = start + extent;
      ranges.push({ start, extent });
      const own = lengths.with(axis, extent);
      // Dimensions that an operand does not move along are broadcast.
      const all = [...own.keys()].filter(() => random.chance(0.85));
      const order = shuffled(random, all.length).map((i) => all[i]!);
      const { shape, strides } = layout(order, own, rank);
      const tensor = dtype === 0 ? floatTensor(random, shape) : indexTensor(random, shape, -(2 ** 31), 2 ** 31 - 1);
      operands.push(operandOf([...state, tensor], state.length, 0, strides));
      state.push(tensor);
    }
    const shape = lengths.with(axis, end + (random.chance(0.3) ? 2 : 0));
    await assertElementRule(state, [{ family: "join", dtype, shape, axis, operands, ranges }]);
  }
});

test("Sum and Peak over any axis of any storage", async () => {
  const random = new Random(81);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.below(4);
    const shape = Array.from({ length: rank }, () => random.between(1, 5));
    const length = random.pick([1, 2, 9, 33]);
    const lengths = [...shape, length];
    const all = [...lengths.keys()].filter(() => random.chance(0.85));
    const x = layout(
      shuffled(random, all.length).map((i) => all[i]!),
      lengths,
      rank + 1,
    );
    const along = [...shape.keys()].filter(() => random.chance(0.3));
    const peak = layout(along, lengths, rank + 1);
    const powers = floats(...Array.from({ length: wordCount(peak.shape) }, () => 2 ** random.between(2, 5)));
    const state: Tensor[] = [floatTensor(random, x.shape), { dtype: 0, shape: peak.shape, words: powers }];
    const operands = [operandOf(state, 0, 0, x.strides), operandOf(state, 1, 0, peak.strides)] as const;
    const bits = random.pick([20, 22, 9, 1]);
    await assertElementRule(state, [
      { family: "sum", dtype: 0, shape, length, bits, operands },
      { family: "peak", dtype: 0, shape, length, mode: 0, operands: [operands[0]] },
      { family: "peak", dtype: 0, shape, length, mode: 1, operands: [operands[0]] },
    ]);
  }
});

test("SumByIndex with the index following any dimensions, inside and outside the rows", async () => {
  const random = new Random(82);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.between(1, 4);
    const shape = Array.from({ length: rank }, () => random.between(1, 4));
    const length = random.pick([1, 3, 17]);
    const lengths = [...shape, length];
    const axis = random.below(rank);
    const free = [...lengths.keys()].filter((d) => d !== axis);
    const storage = (chance: number) => {
      const all = free.filter(() => random.chance(chance));
      return layout(
        shuffled(random, all.length).map((i) => all[i]!),
        lengths,
        rank + 1,
      );
    };
    const [x, index, peak] = [storage(0.9), storage(0.7), { shape: [1], strides: lengths.map(() => 0) }];
    const state = [
      floatTensor(random, x.shape),
      { dtype: 0 as const, shape: [1], words: floats(8) },
      indexTensor(random, index.shape, random.pick([0, -2]), shape[axis]! + random.pick([-1, 2])),
    ];
    const operands = [x, peak, index].map(({ strides }, p) => operandOf(state, p, 0, strides));
    const operator = { family: "sumByIndex", dtype: 0, shape, length, bits: 20, axis, operands };
    await assertElementRule(state, [operator as unknown as Operator]);
  }
});

test("Join along any axis of operands in any storage, with gaps and without, float32 and int32", async () => {
  const random = new Random(57);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.between(1, 4);
    const axis = random.below(rank);
    const others = Array.from({ length: rank }, () => random.between(1, 5));
    const dtype = random.below(2) as 0 | 1;
    const state: Tensor[] = [];
    const ranges: { start: number; extent: number }[] = [];
    const operands: Operand[] = [];
    let end = 0;
    for (let part = random.between(1, 4); part > 0; part--) {
      const start = end + random.below(2) * random.between(0, 3);
      const extent = random.between(1, 6);
      const lengths = others.with(axis, extent);
      const { shape, strides } = layout(shuffled(random, rank), lengths, rank);
      const p = state.push(dtype === 0 ? floatTensor(random, shape) : indexTensor(random, shape, -9, 9)) - 1;
      operands.push(operandOf(state, p, 0, strides));
      ranges.push({ start, extent });
      end = start + extent;
    }
    const shape = others.with(axis, end + random.below(3));
    const join: Operator = { family: "join", dtype, shape, axis, operands, ranges };
    const loss: Operator = {
      family: "peak",
      dtype: 0,
      shape: [],
      length: 1,
      mode: 0,
      operands: [{ ...operands[0]!, strides: [0] }],
    };
    await assertElementRule(state, [loss, join]);
  }
});

test("Gather of rows and of words, float32 and int32, inside and outside the rows", async () => {
  const random = new Random(83);
  for (let round = 0; round < ROUNDS; round++) {
    const rank = random.below(4);
    const shape = Array.from({ length: rank }, () => random.between(1, 4));
    const rows = random.between(1, 5);
    const lengths = [...shape, rows];
    const some = (chance: number) => [...shape.keys()].filter(() => random.chance(chance));
    const tableDimensions = [...some(0.6), rank];
    const table = layout(
      shuffled(random, tableDimensions.length).map((i) => tableDimensions[i]!),
      lengths,
      rank + 1,
    );
    const indexDimensions = some(0.6);
    const index = layout(
      shuffled(random, indexDimensions.length).map((i) => indexDimensions[i]!),
      lengths,
      rank,
    );
    const dtype = random.pick([0, 1] as const);
    const state = [
      dtype === 0 ? floatTensor(random, table.shape) : indexTensor(random, table.shape, -9, 9),
      indexTensor(random, index.shape, random.pick([0, -2]), rows + random.pick([-1, 2])),
    ];
    const rowStride = table.strides[rank]!;
    const operands = [
      operandOf(state, 0, 0, table.strides.slice(0, rank)),
      operandOf(state, 1, 0, index.strides),
    ] as const;
    await assertElementRule(state, [{ family: "gather", dtype, shape, rowStride, rows, operands }]);
  }
});

test("Peak raises every power of two and its neighbours as the element rule does", async () => {
  const powers = Array.from({ length: 64 }, (_, i) => 2 ** (i - 43));
  const values = powers.flatMap((p) => [p, p * (1 + 2 ** -23), p * (1 - 2 ** -24), -1.5 * p]);
  const state: Tensor[] = [{ dtype: 0, shape: [values.length], words: floats(...values) }];
  const operands = [operandOf(state, 0, 0, [1, 0])] as const;
  await assertElementRule(state, [{ family: "peak", dtype: 0, shape: [values.length], length: 1, mode: 1, operands }]);
});

test("quantisation rounds ties to even and keeps the ends of the grid, for every P", async () => {
  for (let bits = 1; bits <= 22; bits++)
    for (const peak of [1, 2 ** -40, 2 ** 20]) {
      const unit = peak / 2 ** bits;
      const inside = [0, 0.5, 1.5, 2.5, 0.25, 0.75, 1].map((digits) => digits * unit);
      const ends = [0, 0.25, 0.5, 0.75, 1, 1.5].map((digits) => peak - digits * unit);
      const numbers = [...inside, ...ends].filter((x) => Math.abs(x) <= peak && x === Math.fround(x));
      const values = numbers.flatMap((x) => [x, -x]);
      const state: Tensor[] = [
        { dtype: 0, shape: [values.length], words: floats(...values) },
        { dtype: 0, shape: [1], words: floats(peak) },
      ];
      const operands = [operandOf(state, 0, 0, [1, 0]), operandOf(state, 1, 0, [0, 0])] as const;
      await assertElementRule(state, [{ family: "sum", dtype: 0, shape: [values.length], length: 1, bits, operands }]);
    }
});

test("select takes any non-zero number, also one that no comparison made", async () => {
  const state: Tensor[] = [
    { dtype: 0, shape: [5], words: floats(0, -0.5, 1, -0, 2 ** -20) },
    { dtype: 1, shape: [5], words: ints(5, -6, 7, 16777217, -9) },
  ];
  const operands = [operandOf(state, 0, 0, [1]), operandOf(state, 1, 0, [1])];
  await assertElementRule(state, [
    { family: "map", dtype: 0, shape: [5], operands, immediates: [0x40400000], instructions: [[12, 0, 1, 2]] },
    // A comparison that is also used as a number.
    {
      family: "map",
      dtype: 0,
      shape: [5],
      operands,
      immediates: [],
      instructions: [
        [10, 0, 1, 0],
        [12, 2, 0, 1],
        [1, 2, 3, 0],
      ],
    },
  ]);
});

test("what no engine can run is refused by name", async () => {
  const state: Tensor[] = [
    { dtype: 0, shape: [4], words: floats(1, 2, 3, 4) },
    { dtype: 1, shape: [4], words: ints(0, 1, 2, 3) },
  ];
  const x = operandOf(state, 0, 0, [1]);
  const map = { family: "map", dtype: 0, shape: [4], operands: [x], immediates: [] } as const;
  const gather = {
    family: "gather",
    dtype: 0,
    shape: [4],
    rowStride: 1,
    operands: [x, operandOf(state, 1, 0, [1])],
  } as const;
  const follows = [
    operandOf(state, 0, 0, [1, 0]),
    operandOf(state, 0, 3, [0, 0]),
    operandOf(state, 1, 0, [0, 1]),
  ] as const;
  const refused: [Operator, RegExp][] = [
    [{ ...map, instructions: [[1, 0, 5, 0]] }, /register 5/],
    [{ ...map, instructions: [[77, 0, 0, 0]] }, /no instruction 77/],
    [
      { ...map, operands: [{ ...x, reference: { kind: "operator", index: 3 } }], instructions: [] },
      /operator 3 does not precede/,
    ],
    [{ ...gather, rows: 9 }, /row 8 lies outside/],
    [{ family: "sumByIndex", dtype: 0, shape: [4], length: 4, bits: 20, axis: 0, operands: follows }, /dimension 0/],
  ];
  for (const [operator, message] of refused) {
    for (const form of FORMS) {
      const opening = openLocal(singleProgram(state, [operator]), 1, form);
      await assert.rejects(opening, { code: "UNREALISABLE", message });
    }
  }
});

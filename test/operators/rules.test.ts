/** Each family on a small example that a reader can check by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toNumber } from "../../shared/numerics/float32.ts";
import { randomWords, sampleRow } from "../../shared/numerics/philox.ts";
import type { SampleOrder } from "../../shared/numerics/sampleOrder.ts";
import { element } from "../../shared/operators/element.ts";
import type { StepPosition } from "../../shared/operators/read.ts";
import { MapOpcode, type Operator, wordCount } from "../../shared/program/descriptor.ts";
import { floats, ints, operand } from "../helpers/operators.ts";

const POSITION: StepPosition = { seed: 9n, step: 2, steps: 4, sampleCount: 5, sampleWords: 3, scheduleWidth: 2 };

function words(operator: Operator, tensors: readonly Uint32Array[], position = POSITION): number[] {
  return Array.from({ length: wordCount(operator.shape) }, (_, i) =>
    element(operator, i, (at, address) => tensors[at]![address]!, position),
  );
}

function numbers(operator: Operator, tensors: readonly Uint32Array[]): number[] {
  return words(operator, tensors).map(toNumber);
}

test("Map computes over broadcast, transposed and integer operands", () => {
  const operator: Operator = {
    family: "map",
    dtype: 0,
    shape: [2, 3],
    operands: [
      operand("state", 0, 6, [1, 2]), // a [3, 2] matrix, transposed
      operand("state", 1, 1, [0, 0]),
      operand("constant", 0, 3, [0, 1], { dtype: 1 }),
    ],
    immediates: [floats(0.5)[0]!],
    instructions: [
      [MapOpcode.mul, 0, 1, 0],
      [MapOpcode.add, 4, 2, 0],
      [MapOpcode.max, 5, 3, 0],
    ],
  };
  const result = numbers(operator, [floats(1, 2, 3, 4, 5, 6), floats(-2), ints(3, 6, 9)]);
  assert.deepEqual(
    result,
    [1, 0.5, 0.5, 0.5, 0.5, 0.5].map((_, i) => Math.max([1, 0, -1, -1, -2, -3][i]!, 0.5)),
  );
});

test("Map: a register ahead of its instruction is zero, an unknown opcode NaN, no instruction the last register", () => {
  const base = { family: "map", dtype: 0, shape: [], operands: [operand("state", 0, 1, [])] } as const;
  const of = (instructions: [number, number, number, number][], immediates: number[] = []) =>
    words({ ...base, immediates, instructions }, [floats(4)])[0];
  assert.equal(of([[MapOpcode.add, 0, 1, 0]]), floats(4)[0]);
  assert.equal(of([[MapOpcode.sub, 255, 0, 0]]), floats(-4)[0]);
  assert.equal(of([[13, 0, 0, 0]]), 0x7fc00000);
  assert.equal(of([]), floats(4)[0]);
  assert.equal(of([], [0x80000000]), 0);
  assert.equal(of([], [0xffc00001]), 0x7fc00000);
});

test("Dot contracts on the grids of its peaks", () => {
  const dot: Operator = {
    family: "dot",
    dtype: 0,
    shape: [2, 2],
    length: 2,
    bits: 20,
    operands: [
      operand("state", 0, 4, [2, 0, 1]),
      operand("state", 1, 4, [0, 1, 2]),
      operand("state", 2, 2, [1, 0, 0]),
      operand("state", 3, 1, [0, 0, 0]),
    ],
  };
  const [a, b] = [floats(1, 2, 3, -4), floats(5, 6, 7, 8)];
  assert.deepEqual(numbers(dot, [a, b, floats(2, 4), floats(8)]), [19, 22, -13, -14]);
  // With one bit the units are 1 and 4: 2 → 2·1, 3 → clamp(3, 2) = 2, and 5, 6, 7, 8 → 4, 8 (6/4 to even), 8, 8.
  const coarse = numbers({ ...dot, bits: 1 } as Operator, [a, b, floats(2, 4), floats(8)]);
  assert.deepEqual(coarse, [1 * 4 + 2 * 8, 1 * 8 + 2 * 8, 4 * 4 - 4 * 8, 4 * 8 - 4 * 8]);
});

test("Sum and SumByIndex add exactly what float32 would lose", () => {
  const sum: Operator = {
    family: "sum",
    dtype: 0,
    shape: [],
    length: 4,
    bits: 22,
    operands: [operand("state", 0, 4, [1]), operand("state", 1, 1, [0])],
  };
  assert.deepEqual(numbers(sum, [floats(1, 2 ** -22, 2 ** -22, -1), floats(1)]), [2 ** -21]);
  const byIndex: Operator = {
    family: "sumByIndex",
    dtype: 0,
    shape: [3, 2],
    length: 4,
    bits: 20,
    axis: 0,
    operands: [operand("state", 0, 8, [0, 1, 2]), operand("state", 1, 1, [0, 0, 0]), operand("state", 2, 4, [0, 0, 1])],
  };
  const tensors = [floats(1, 2, 3, 4, 5, 6, 7, 8), floats(8), ints(2, 0, 2, -1)];
  assert.deepEqual(numbers(byIndex, tensors), [3, 4, 0, 0, 6, 8]);
});

test("Peak is the greatest magnitude, or the next power of two from 2^-40 on", () => {
  const peak = (mode: 0 | 1, ...x: number[]): number => {
    const operands = [operand("state", 0, x.length, [1])] as const;
    return numbers({ family: "peak", dtype: 0, shape: [], length: x.length, mode, operands }, [floats(...x)])[0]!;
  };
  assert.equal(peak(0, 1, -3, 2), 3);
  assert.equal(peak(0, 0, -0), 0);
  assert.equal(peak(0, 1, Number.NaN), Number.POSITIVE_INFINITY);
  assert.equal(peak(1, 1, -3, 2), 4);
  assert.equal(peak(1, -4), 4);
  assert.equal(peak(1, 4.0000005), 8);
  assert.equal(peak(1, 0), 2 ** -40);
  assert.equal(peak(1, 2 ** -40), 2 ** -40);
  assert.equal(peak(1, 2 ** -39.9), 2 ** -39);
  assert.equal(peak(1, 2 ** 127), 2 ** 127);
  assert.equal(peak(1, 1.1 * 2 ** 127), Number.POSITIVE_INFINITY);
  const integer = [operand("state", 0, 1, [1], { dtype: 1 })] as const;
  const least: Operator = { family: "peak", dtype: 0, shape: [], length: 1, mode: 0, operands: integer };
  assert.deepEqual(numbers(least, [ints(-(2 ** 31))]), [2 ** 31]);
});

test("Gather copies rows and gives 0 for an index outside", () => {
  const gather: Operator = {
    family: "gather",
    dtype: 0,
    shape: [4, 2],
    rowStride: 2,
    rows: 3,
    operands: [operand("state", 0, 6, [0, 1]), operand("state", 1, 4, [1, 0], { dtype: 1 })],
  };
  const table = floats(1, 2, 3, 4, 5, 6);
  assert.deepEqual(numbers(gather, [table, ints(2, 0, 3, -1)]), [5, 6, 1, 2, 0, 0, 0, 0]);
  // The declared rows end it, also where the table goes on.
  assert.deepEqual(numbers({ ...gather, rows: 2 } as Operator, [table, ints(2, 0, 1, -1)]), [0, 0, 1, 2, 3, 4, 0, 0]);
  const raw = Uint32Array.of(0x80000000, 0xff800001, 0, 0, 0, 0);
  assert.deepEqual(words(gather, [raw, ints(0, 0, 0, 0)]).slice(0, 2), [0, 0x7fc00000]);
  assert.deepEqual(words({ ...gather, dtype: 1 } as Operator, [raw, ints(0, 0, 0, 0)]).slice(0, 2), [
    ...raw.slice(0, 2),
  ]);
});

test("Join reads the first operand that holds the position, else 0", () => {
  const join: Operator = {
    family: "join",
    dtype: 0,
    shape: [2, 7],
    axis: 1,
    operands: [operand("state", 0, 4, [2, 1]), operand("state", 1, 2, [1, 0])],
    ranges: [
      { start: 1, extent: 2 },
      { start: 4, extent: 2 },
    ],
  };
  const [a, b] = [floats(1, 2, 3, 4), floats(8, 9)];
  assert.deepEqual(numbers(join, [a, b]), [0, 1, 2, 0, 8, 8, 0, 0, 3, 4, 0, 9, 9, 0]);
  const ranges = (...places: [start: number, extent: number][]): Operator => ({
    ...join,
    ranges: places.map(([start, extent]) => ({ start, extent })),
  });
  // Ranges that overlap, are empty, descend or leave the dimension decide all the same; outside its words an operand is 0.
  assert.deepEqual(numbers(ranges([0, 4], [2, 5]), [a, b]), [1, 2, 3, 4, 8, 8, 8, 3, 4, 0, 0, 9, 9, 9]);
  assert.deepEqual(numbers(ranges([5, 0], [0, 2]), [a, b]).slice(0, 7), [8, 8, 0, 0, 0, 0, 0]);
  assert.deepEqual(numbers(ranges([5, 0xffffffff], [0xffffffff, 9]), [a, b]).slice(0, 7), [0, 0, 0, 0, 0, 1, 2]);
  const raw = Uint32Array.of(0x80000000, 0xff800001, 1, 2);
  assert.deepEqual(words(join, [raw, b]).slice(1, 3), [0, 0x7fc00000]);
  assert.deepEqual(words({ ...join, dtype: 1 }, [raw, b]).slice(1, 3), [...raw.slice(0, 2)]);
});

test("Random gives the upper 24 bits of its stream's words as a fraction", () => {
  const { seed, step } = POSITION;
  const stream = randomWords(seed, step, 6, 10);
  const random: Operator = { family: "random", dtype: 1, shape: [2, 5], stream: 6, operands: [] };
  assert.deepEqual(words(random, []), [...stream]);
  assert.deepEqual(
    numbers({ ...random, dtype: 0 }, []),
    Array.from(stream, (word) => Math.floor(word / 256) / 2 ** 24),
  );
  assert.notDeepEqual(words(random, [], { ...POSITION, step: step + 1 }), [...stream]);
});

test("Batch reads the drawn samples, Schedule this step's row", () => {
  const samples = Array.from({ length: 5 }, (_, row) => ints(10 * row, 10 * row + 1, 10 * row + 2));
  const batch: Operator = { family: "batch", dtype: 1, shape: [4, 2], order: "replacement", offset: 1, operands: [] };
  const rows = Array.from({ length: 4 }, (_, b) => sampleRow(9n, 2, b, 5));
  assert.deepEqual(
    words(batch, samples),
    rows.flatMap((row) => [10 * row + 1, 10 * row + 2]),
  );
  const beyond = words({ ...batch, offset: 2 }, samples);
  assert.deepEqual(
    beyond,
    rows.flatMap((row) => [10 * row + 2, 0]),
  );
  assert.deepEqual(words(batch, samples, { ...POSITION, sampleCount: 0 }), new Array(8).fill(0));
  // Position 8 is the fourth of the second epoch of five.
  const firsts = (order: SampleOrder, step: number) =>
    words({ ...batch, shape: [4, 1], offset: 0, order }, samples, { ...POSITION, step }).map((word) => word / 10);
  assert.deepEqual(firsts("sequential", 2), [3, 4, 0, 1]);
  const epochs = [0, 1, 2, 3, 4].flatMap((step) => firsts("permutation", step));
  for (const epoch of [0, 5, 10, 15]) assert.deepEqual(epochs.slice(epoch, epoch + 5).sort(), [0, 1, 2, 3, 4]);
  const table = floats(0, 1, 2, 3, 4, 5, 6, 7);
  const schedule: Operator = { family: "schedule", dtype: 0, shape: [1], column: 1, operands: [] };
  assert.deepEqual(numbers(schedule, [table]), [5]);
  assert.deepEqual(words(schedule, [table], { ...POSITION, step: 4 }), [0]);
});

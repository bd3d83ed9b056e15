import assert from "node:assert/strict";
import { test } from "node:test";
import { stepPosition } from "../../shared/job/job.ts";
import { element, partialValue, type ReducingOperator } from "../../shared/operators/element.ts";
import { isAdjudicable, witnessTiles } from "../../shared/operators/witness.ts";
import { type Operator, wordCount } from "../../shared/program/descriptor.ts";
import { reduces } from "../../shared/program/encoding.ts";
import { readOf, traceByElements } from "../helpers/elements.ts";
import { operand } from "../helpers/operators.ts";
import { exampleJob, exampleState, randomProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

test("a witness holds every word that an adjudication reads, in the order of the operands", () => {
  const random = new Random(111);
  let adjudicated = 0;
  let gaps = 0;
  for (let seed = 0; seed < 60; seed++) {
    const program = randomProgram(seed);
    const job = exampleJob(program, seed);
    const state = exampleState(program, seed);
    const outputs = traceByElements(job, 1, state);
    const position = stepPosition(job, 1);
    for (const { operator } of program.operators) {
      const index = random.below(wordCount(operator.shape));
      const read = readOf(job, operator, outputs, state);
      const length = "length" in operator ? operator.length : 1;
      const lo = random.below(length);
      const hi = random.between(lo + 1, length);
      const reducing = reduces(operator.family);
      if (reducing && !isAdjudicable(operator as ReducingOperator, index, lo, hi)) continue;
      adjudicated += 1;
      const tiles = witnessTiles(operator, index, reducing ? lo : 0, reducing ? hi : 1, read, position);
      const used = new Set<number>();
      const watched = (at: number, address: number): number => {
        const source =
          operator.family === "batch"
            ? ({ kind: "sample", index: at } as const)
            : operator.family === "schedule"
              ? ({ kind: "schedule" } as const)
              : operator.operands[at]!.reference;
        const tile = tiles.findIndex(
          (each) => JSON.stringify(each.source) === JSON.stringify(source) && each.tile === Math.floor(address / 64),
        );
        assert.ok(tile >= 0, `${operator.family} reads operand ${at} at ${address}`);
        used.add(tile);
        return read(at, address);
      };
      if (reducing) partialValue(operator as ReducingOperator, index, lo, hi, watched);
      else element(operator, index, watched, position);
      assert.ok(tiles.length <= Math.max(1, operator.operands.length));
      const references = operator.operands.map(({ reference }) => JSON.stringify(reference));
      const brought = tiles.map(({ source }) => JSON.stringify(source));
      if (operator.family === "join") {
        // The one that holds the element, if any does.
        assert.ok(brought.length <= 1 && brought.every((source) => references.includes(source)));
        assert.equal(used.size, brought.length);
        gaps += brought.length === 0 ? 1 : 0;
      } else if (operator.family === "random") assert.deepEqual(tiles, []);
      else if (operator.operands.length > 0) assert.deepEqual(brought, references);
      else assert.equal(used.size, 1);
    }
  }
  assert.ok(adjudicated > 500, `${adjudicated}`);
  assert.ok(gaps > 3, `${gaps} gaps`);
});

test("operands that are read outside, and tables of an index outside, bring no tile", () => {
  const position = { seed: 1n, step: 1, steps: 2, sampleCount: 3, sampleWords: 4, scheduleWidth: 2 };
  const table = operand("state", 7, 640, [0, 1]);
  const index = operand("operator", 3, 2, [1, 0], { dtype: 1 });
  const gather = {
    family: "gather",
    dtype: 0,
    shape: [2, 2],
    rowStride: 64,
    rows: 10,
    operands: [table, index],
  } as const;
  const of = (row: number) => witnessTiles(gather, 0, 0, 1, (at) => (at === 1 ? row : 0), position);
  assert.deepEqual(of(9), [
    { source: table.reference, tile: 9 },
    { source: index.reference, tile: 0 },
  ]);
  assert.deepEqual(of(10), [{ source: index.reference, tile: 0 }]);
  assert.deepEqual(of(-1 >>> 0), [{ source: index.reference, tile: 0 }]);
  const map = { family: "map", dtype: 0, shape: [], immediates: [], instructions: [] } as const;
  const outside = { ...map, operands: [operand("state", 0, 4, [], { offset: 4 }), operand("state", 1, 4, [])] };
  assert.deepEqual(
    witnessTiles(outside, 0, 0, 1, () => 0, position).map(({ source }) => source),
    [{ kind: "state", index: 1 }],
  );
  const batch = { family: "batch", dtype: 0, shape: [2, 3], order: "replacement", offset: 3, operands: [] } as const;
  assert.equal(witnessTiles(batch, 0, 0, 1, () => 0, position).length, 1);
  assert.deepEqual(
    witnessTiles(batch, 1, 0, 1, () => 0, position),
    [],
  );
  const join: Operator = {
    family: "join",
    dtype: 0,
    shape: [9],
    axis: 0,
    operands: [operand("state", 0, 70, [0], { offset: 64 }), operand("state", 1, 2, [1])],
    ranges: [
      { start: 1, extent: 2 },
      { start: 4, extent: 4 },
    ],
  };
  const joined = (at: number) => witnessTiles(join, at, 0, 1, () => 0, position);
  assert.deepEqual([0, 3, 6, 7, 8].flatMap(joined), []);
  assert.deepEqual(joined(2), [{ source: { kind: "state", index: 0 }, tile: 1 }]);
  assert.deepEqual(joined(5), [{ source: { kind: "state", index: 1 }, tile: 0 }]);
  const schedule = { family: "schedule", dtype: 0, shape: [1], column: 2, operands: [] } as const;
  assert.deepEqual(
    witnessTiles(schedule, 0, 0, 1, () => 0, position),
    [],
  );
});

test("a range is adjudicable within 64 positions and one tile an operand", () => {
  const sum = (stride: number, offset = 0): ReducingOperator => ({
    family: "sum",
    dtype: 0,
    shape: [],
    length: 200,
    bits: 20,
    operands: [operand("state", 0, 256, [stride], { offset }), operand("state", 1, 1, [0])],
  });
  assert.ok(isAdjudicable(sum(1), 0, 0, 64));
  assert.ok(!isAdjudicable(sum(0), 0, 0, 65));
  assert.ok(!isAdjudicable(sum(1), 0, 1, 65));
  assert.ok(!isAdjudicable(sum(64), 0, 0, 2));
  assert.ok(isAdjudicable(sum(64), 0, 3, 4));
  // A peak is read at 0, whatever its last stride.
  const [x] = sum(1).operands;
  const moving = { ...sum(1), operands: [x, operand("state", 1, 4096, [64])] } as ReducingOperator;
  assert.ok(isAdjudicable(moving, 0, 0, 64));
  // Positions past the operand read zero and belong to no tile.
  assert.ok(isAdjudicable(sum(1, 192), 0, 32, 96));
});

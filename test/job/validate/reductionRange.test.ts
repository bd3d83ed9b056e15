import assert from "node:assert/strict";
import { test } from "node:test";
import { exactRange, type Range, union } from "../../../shared/job/validate/range.ts";
import { dotRange, peakRange, sumByIndexRange, sumRange } from "../../../shared/job/validate/reductionRange.ts";
import { fromNumber, toNumber } from "../../../shared/numerics/float32.ts";
import { element } from "../../../shared/operators/element.ts";
import { finishPeak, magnitude } from "../../../shared/operators/peak.ts";
import type { Operator } from "../../../shared/program/descriptor.ts";
import { operand } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";

const POSITION = { seed: 0n, step: 0, steps: 1, sampleCount: 0, sampleWords: 0, scheduleWidth: 0 };

function numbers(random: Random, count: number): number[] {
  const sign = random.pick([-1, 0, 1]);
  const exponent = random.between(-50, 18);
  return Array.from({ length: count }, () => {
    if (random.chance(0.1)) return 0;
    const x = Math.fround((random.unit() * 2 - 1) * 2 ** (exponent - random.below(12)));
    return sign === 0 ? x : sign * Math.abs(x);
  });
}

function assertInside(value: number, range: Range): void {
  assert.ok(value >= range.low && value <= range.high, `${value} outside [${range.low}, ${range.high}]`);
  if (value !== 0) assert.ok(Math.abs(value) >= 2 ** range.least && Number.isInteger(value / 2 ** range.grid));
}

/** The range of the values alone: the tightest that an analysis could start from. */
function rangeOfAll(values: readonly number[]): Range {
  return values.map(exactRange).reduce(union);
}

function peakOf(values: readonly number[]): number {
  return toNumber(finishPeak(1, Math.max(...values.map((x) => magnitude(fromNumber(x))))));
}

test("the range of a reduction holds its result", () => {
  const random = new Random(95);
  for (let i = 0; i < 6000; i++) {
    const length = random.between(1, 12);
    const bits = random.between(1, 22);
    const [a, b] = [numbers(random, length), numbers(random, length)];
    const [peakA, peakB] = [peakOf(a), peakOf(b)];
    const index = Array.from({ length }, () => random.below(2));
    const compute = (operator: Operator, tensors: readonly (readonly number[])[]): number =>
      toNumber(
        element(
          operator,
          0,
          (at, k) => (at === 2 && operator.family === "sumByIndex" ? index[k]! : fromNumber(tensors[at]![k]!)),
          POSITION,
        ),
      );
    const line = (at: number, rank = 0) => operand("state", at, length, [...new Array(rank).fill(0), 1]);
    const point = (at: number, rank = 0) => operand("state", at, 1, new Array(rank + 1).fill(0));
    const [x, y, p, q] = [rangeOfAll(a), rangeOfAll(b), exactRange(peakA), exactRange(peakB)];
    const base = { dtype: 0, shape: [], length, bits } as const;
    const operands = [line(0), line(1), point(2), point(3)] as const;
    assertInside(
      compute({ family: "dot", ...base, operands }, [a, b, [peakA], [peakB]]),
      dotRange(x, y, p, q, length, bits),
    );
    assertInside(
      compute({ family: "sum", ...base, operands: [line(0), point(1)] }, [a, [peakA]]),
      sumRange(x, p, length, bits),
    );
    const byIndex = { family: "sumByIndex", ...base, shape: [2], axis: 0 } as const;
    assertInside(
      compute({ ...byIndex, operands: [line(0, 1), point(1, 1), line(2, 1)] }, [a, [peakA]]),
      sumByIndexRange(x, p, length, bits),
    );
    for (const mode of [0, 1] as const)
      assertInside(
        compute({ family: "peak", dtype: 0, shape: [], length, mode, operands: [line(0)] }, [a]),
        peakRange(x, mode),
      );
  }
});

test("a sum of numbers that are bounded away from zero is too", () => {
  const terms = union(exactRange(0.25), exactRange(1));
  assert.ok(sumRange(terms, exactRange(1), 10, 20).low > 2.4);
  assert.equal(sumRange(union(exactRange(0), exactRange(1)), exactRange(1), 10, 20).low, 0);
  assert.ok(dotRange(terms, terms, exactRange(1), exactRange(1), 10, 20).low > 0.6);
});

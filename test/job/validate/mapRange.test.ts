import assert from "node:assert/strict";
import { test } from "node:test";
import { instructionRange, isFaint, RangeProblem } from "../../../shared/job/validate/mapRange.ts";
import { exactRange, gridRange, type Range, rangeOf, union } from "../../../shared/job/validate/range.ts";
import { toNumber } from "../../../shared/numerics/float32.ts";
import { FLUSH_CONSTANT } from "../../../shared/numerics/flush.ts";
import { MapOpcode } from "../../../shared/program/descriptor.ts";
import { ieee, LEAST_NORMAL, MACHINES, type Machine } from "../../helpers/machines.ts";
import { Random } from "../../helpers/random.ts";

/** More rounds on demand. */
const ROUNDS = process.env.TOUCHSTONE_DEEP === "1" ? 30 : 1;
const OPCODES = Object.values(MapOpcode);
/** A finite float32 that is not subnormal, of a size that makes analysis interesting. */
function operandValue(random: Random): number {
  if (random.chance(0.15)) return 0;
  const field = random.pick([
    random.between(110, 140),
    random.between(1, 60),
    random.between(20, 30),
    random.between(1, 254),
  ]);
  const fraction = random.chance(0.3) ? 0 : random.word() & 0x7fffff;
  return toNumber(((random.below(2) << 31) | (field << 23) | fraction) >>> 0);
}

function rangeOfAll(values: readonly number[]): Range {
  return values.map(exactRange).reduce(union);
}

function assertInside(value: number, range: Range, message: string): void {
  assert.ok(value >= range.low && value <= range.high, `${message}: ${value} outside [${range.low}, ${range.high}]`);
  if (value === 0) return;
  assert.ok(Math.abs(value) >= 2 ** range.least, `${message}: ${value} below 2^${range.least}`);
  assert.ok(Number.isInteger(value / 2 ** range.grid), `${message}: ${value} off the grid 2^${range.grid}`);
}

test("the range of an instruction holds its result on every operand in the ranges", () => {
  const random = new Random(81);
  let accepted = 0;
  for (let i = 0; i < 30_000 * ROUNDS; i++) {
    const sets = Array.from({ length: 3 }, () =>
      Array.from({ length: random.between(1, 3) }, () => operandValue(random)),
    );
    const [a, b, c] = sets.map(rangeOfAll) as [Range, Range, Range];
    const same = random.chance(0.1);
    for (const opcode of OPCODES) {
      const range = instructionRange(opcode, a, same ? a : b, c, same);
      if (range instanceof RangeProblem) continue;
      accepted += 1;
      for (const x of sets[0]!)
        for (const y of same ? [x] : sets[1]!)
          for (const z of sets[2]!) assertInside(ieee(opcode, x, y, z), range, `${opcode} ${x} ${y} ${z}`);
    }
  }
  assert.ok(accepted > 200_000, `${accepted}`);
});

test("what is accepted gives the same words on machines that flush subnormals and mistake the sign of zero", () => {
  const random = new Random(82);
  let faints = 0;
  for (let i = 0; i < 8000 * ROUNDS; i++) {
    const values = Array.from({ length: 3 }, () => [operandValue(random), operandValue(random)]);
    const immediates = [toNumber(FLUSH_CONSTANT), 1, -0.75, operandValue(random), 2 ** -100];
    const ranges: Range[] = [...values.map(rangeOfAll), ...immediates.map(exactRange)];
    const code: [number, number, number, number][] = [];
    for (let n = 0; n < 200 && code.length < 12; n++) {
      const register = (): number =>
        random.chance(0.4) ? random.pick([ranges.length - 1, 3, 4]) : random.below(ranges.length);
      const [opcode, a, b, c] = [random.pick(OPCODES), register(), register(), register()];
      const range = instructionRange(opcode, ranges[a]!, ranges[b]!, ranges[c]!, a === b);
      if (range instanceof RangeProblem) continue;
      if (isFaint(range)) faints += 1;
      ranges.push(range);
      code.push([opcode, a, b, c]);
    }
    for (const x of values[0]!)
      for (const y of values[1]!)
        for (const z of values[2]!) {
          const run = (machine: Machine): number[] => {
            const registers = [x, y, z, ...immediates];
            for (const [opcode, a, b, c] of code)
              registers.push(machine(opcode, registers[a]!, registers[b]!, registers[c]!));
            return registers;
          };
          const expected = run(ieee);
          for (const [at, value] of expected.entries())
            assertInside(value, ranges[at]!, `program ${i}, register ${at}`);
          for (const machine of MACHINES)
            for (const [at, value] of run(machine).entries()) {
              if (!isFaint(ranges[at]!)) assert.equal(value + 0, expected[at]! + 0, `program ${i}, register ${at}`);
              else
                assert.ok(value === expected[at] || Math.max(Math.abs(value), Math.abs(expected[at]!)) <= LEAST_NORMAL);
            }
        }
  }
  assert.ok(faints > 1000, `${faints} faint registers`);
});

const wide = gridRange(-(2 ** 20), 2 ** 20, -104);
const one = exactRange(1);
const range = (low: number, high: number): Range => rangeOf(low, high, -104, -104);

function refused(reason: RegExp, opcode: number, a: Range, b: Range = one, c: Range = one): void {
  const result = instructionRange(opcode, a, b, c, false);
  assert.ok(result instanceof RangeProblem && reason.test(result.reason), `${opcode}`);
}

function accepts(opcode: number, a: Range, b: Range = one, c: Range = one): Range {
  const result = instructionRange(opcode, a, b, c, false);
  assert.ok(!(result instanceof RangeProblem), result instanceof RangeProblem ? result.reason : "");
  return result;
}

test("overflow, division by what may be zero and roots of what may be negative are refused", () => {
  const huge = range(-(2 ** 100), 2 ** 100);
  refused(/overflow/, MapOpcode.mul, huge, huge);
  refused(/overflow/, MapOpcode.add, exactRange(2 ** 127), exactRange(2 ** 127));
  refused(/overflow/, MapOpcode.div, huge, exactRange(2 ** -40));
  refused(/divides/, MapOpcode.div, one, wide);
  refused(/divides/, MapOpcode.div, one, range(0, 1));
  refused(/root/, MapOpcode.sqrt, range(-(2 ** -50), 1));
  refused(/opcode/, 13, one);
  accepts(MapOpcode.div, wide, accepts(MapOpcode.max, wide, exactRange(2 ** -20)));
  accepts(MapOpcode.div, wide, accepts(MapOpcode.min, wide, exactRange(-1)));
  accepts(MapOpcode.sqrt, accepts(MapOpcode.max, wide, exactRange(0)));
});

test("a faint value must be absorbed or flushed before anything can tell", () => {
  const square = accepts(MapOpcode.mul, wide, wide);
  assert.ok(isFaint(square));
  const flush = exactRange(toNumber(FLUSH_CONSTANT));
  for (const opcode of [MapOpcode.add, MapOpcode.sub, MapOpcode.mul, MapOpcode.less, MapOpcode.equal, MapOpcode.select])
    refused(/subnormal/, opcode, square, wide);
  refused(/subnormal/, MapOpcode.add, wide, square);
  refused(/subnormal/, MapOpcode.add, square, square);
  refused(/subnormal/, MapOpcode.sqrt, accepts(MapOpcode.max, square, exactRange(0)));
  refused(/subnormal/, MapOpcode.div, square, exactRange(0.5));
  refused(/subnormal/, MapOpcode.mul, square, exactRange(2));
  refused(/subnormal/, MapOpcode.add, square, exactRange(2 ** -101));
  for (const opcode of [MapOpcode.abs, MapOpcode.neg]) assert.ok(isFaint(accepts(opcode, square)));
  assert.ok(isFaint(accepts(MapOpcode.mul, square, exactRange(0.5))));
  assert.ok(isFaint(accepts(MapOpcode.div, square, exactRange(3))));
  assert.ok(isFaint(accepts(MapOpcode.select, one, square, wide)) && isFaint(accepts(MapOpcode.max, square, wide)));
  const flushed = accepts(MapOpcode.sub, accepts(MapOpcode.add, square, flush), flush);
  assert.equal(flushed.grid, -104);
  assert.ok(!isFaint(accepts(MapOpcode.add, square, one)) && !isFaint(accepts(MapOpcode.max, square, one)));
});

test("what correlated operands give is seen: x · x, x − x, x / x", () => {
  const x = range(-3, 2);
  const same = (opcode: number, a: Range): Range => {
    const result = instructionRange(opcode, a, a, a, true);
    assert.ok(!(result instanceof RangeProblem));
    return result;
  };
  const square = same(MapOpcode.mul, x);
  assert.deepEqual([square.low, square.high], [0, 9]);
  assert.equal(same(MapOpcode.mul, range(-3, -2)).low, 4);
  assert.deepEqual(same(MapOpcode.sub, x), exactRange(0));
  assert.deepEqual(same(MapOpcode.div, range(2, 3)), exactRange(1));
});

/** The referee against the TypeScript element rules, over real trees and proofs. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { bytesToHex } from "viem";
import { combine, element, finish, partialValue, type ReducingOperator } from "../../shared/operators/element.ts";
import type { Operator } from "../../shared/program/descriptor.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { encodeOperator, reduces } from "../../shared/program/encoding.ts";
import { FAMILIES, garbageOperator } from "../helpers/descriptors.ts";
import { floats, ints, operand } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";
import { type BatchedCall, type CallBatch, deployCallBatch, type Outcome, type Target } from "./callBatch.ts";
import { anyOperator, anyWorld, type Witness, World } from "./world.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1" ? 20 : 1;
const { viem } = await network.connect();
const REDUCING = FAMILIES.filter(reduces);

const isReducing = (operator: Operator): operator is ReducingOperator => reduces(operator.family);
const show = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item));

function elementCall(operator: Operator, index: number, world: World, witness: readonly Witness[]): BatchedCall {
  const args = [bytesToHex(encodeOperator(operator)), BigInt(index), world.roots, witness];
  return { functionName: "element", args };
}

function partialCall(
  operator: Operator,
  index: number,
  [lo, hi]: readonly [number, number],
  world: World,
  witness: readonly Witness[],
): BatchedCall {
  const args = [bytesToHex(encodeOperator(operator)), BigInt(index), BigInt(lo), BigInt(hi), world.roots, witness];
  return { functionName: "partialValue", args };
}

describe("contracts/Referee.sol and shared/operators", () => {
  let referee: Target;
  let run: CallBatch;
  before(async () => {
    const { address, abi } = await viem.deployContract("Referee");
    referee = { address, abi };
    run = await deployCallBatch(viem);
  });

  for (const [position, family] of FAMILIES.entries()) {
    it(`give the same word for every element: ${family}`, async () => {
      const random = new Random(300 + position);
      let words = 0;
      const seen = new Set<unknown>();
      for (let round = 0; round < 12 * DEEP; round++) {
        const world = anyWorld(random);
        const cases = Array.from({ length: 40 }, () => {
          const operator = anyOperator(random, world, family);
          return { operator, index: random.below(wordCount(operator.shape)) };
        });
        const outcomes = await run(
          referee,
          cases.map(({ operator, index }) => {
            const hi = isReducing(operator) ? Math.min(operator.length, 64) : 1;
            return elementCall(operator, index, world, world.witness(operator, index, 0, hi));
          }),
        );
        for (const [i, { operator, index }] of cases.entries()) {
          const outcome = outcomes[i]!;
          if (isReducing(operator) && operator.length > 64) {
            assert.deepEqual(outcome, { error: "RefereeRangeTooLong" });
          } else if (isReducing(operator) && world.spansTiles(operator, index, 0, operator.length)) {
            assert.deepEqual(outcome, { error: "WitnessSpansTiles" });
          } else {
            const expected = element(operator, index, world.read(operator), world.position);
            assert.deepEqual(outcome, { result: expected }, show(operator));
            words++;
            seen.add(expected);
          }
        }
      }
      assert.ok(words >= 120 * DEEP, `${words} words`);
      assert.ok(seen.size >= 20, `${seen.size} different words`);
    });
  }

  for (const [position, family] of REDUCING.entries()) {
    it(`give the same value over a part of the axis: ${family}`, async () => {
      const random = new Random(320 + position);
      let values = 0;
      for (let round = 0; round < 12 * DEEP; round++) {
        const world = anyWorld(random);
        const cases = Array.from({ length: 40 }, () => {
          const operator = anyOperator(random, world, family) as ReducingOperator;
          const lo = random.chance(0.7) ? random.below(Math.min(operator.length, 80)) : random.below(operator.length);
          const hi = Math.min(operator.length, lo + random.pick([1, 2, 5, 16, 64]));
          return { operator, index: random.below(wordCount(operator.shape)), lo, hi };
        });
        const outcomes = await run(
          referee,
          cases.map(({ operator, index, lo, hi }) =>
            partialCall(operator, index, [lo, hi], world, world.witness(operator, index, lo, hi)),
          ),
        );
        for (const [i, { operator, index, lo, hi }] of cases.entries()) {
          const outcome = outcomes[i]!;
          if (world.spansTiles(operator, index, lo, hi)) {
            assert.deepEqual(outcome, { error: "WitnessSpansTiles" });
            continue;
          }
          const expected = partialValue(operator, index, lo, hi, world.read(operator));
          assert.ok("result" in outcome, show([outcome, operator, index, lo, hi]));
          assert.deepEqual(outcome.result, [expected.value, BigInt(expected.exponent)], show(operator));
          values++;
        }
      }
      assert.ok(values >= 150 * DEEP, `${values} values`);
    });
  }

  it("are total: any decodable descriptor gives a word when its tensors do not exist", async () => {
    const random = new Random(330);
    const empty = new World({ operator: [], state: [], constant: [] }, [], new Uint32Array(0), {
      seed: 0n,
      step: 0,
      steps: 0,
      sampleCount: 0,
      sampleWords: 0,
      scheduleWidth: 0,
    });
    const cases = Array.from({ length: 400 * DEEP }, (_, i) => {
      const operator = garbageOperator(random, FAMILIES[i % FAMILIES.length]);
      return { operator, index: random.below(wordCount(operator.shape)) };
    });
    const outcomes = await run(
      referee,
      cases.map(({ operator, index }) =>
        isReducing(operator)
          ? partialCall(operator, index, [operator.length - 1, operator.length], empty, [])
          : elementCall(operator, index, empty, []),
      ),
    );
    for (const [i, { operator, index }] of cases.entries()) {
      const outcome = outcomes[i]!;
      assert.ok("result" in outcome, show([outcome, operator]));
      if (isReducing(operator)) {
        const { value, exponent } = partialValue(operator, index, operator.length - 1, operator.length, () => 0);
        assert.deepEqual(outcome.result, [value, BigInt(exponent)]);
      } else
        assert.equal(
          outcome.result,
          element(operator, index, () => 0, empty.position),
        );
    }
  });

  it("combine and finish alike", async () => {
    const random = new Random(331);
    const big = (): bigint => {
      let value = 0n;
      for (let word = 0; word < 8; word++) value = (value << 32n) | BigInt(random.word());
      return BigInt.asIntN(256, value) >> BigInt(random.pick([0, 1, 3, random.below(256)]));
    };
    const calls: BatchedCall[] = [];
    const expected: Outcome[] = [];
    for (let i = 0; i < 300 * DEEP; i++) {
      const operator = garbageOperator(random, REDUCING[i % REDUCING.length]) as ReducingOperator;
      const peak = operator.family === "peak";
      const descriptor = bytesToHex(encodeOperator(operator));
      const one = (): bigint => {
        if (!peak) return big();
        return random.chance(0.02)
          ? random.pick([-1n, 0x7f800001n, 0x80000000n, 1n << 255n].map((value) => BigInt.asIntN(256, value)))
          : BigInt(random.pick([0, 0x7f800000, random.below(0x7f800001), random.between(80, 254) << 23]));
      };
      const isMaximum = (value: bigint): boolean => value >= 0n && value <= 0x7f800000n;

      const values = Array.from({ length: 16 }, () => (random.chance(0.3) ? 0n : one()));
      calls.push({ functionName: "combine", args: [descriptor, values] });
      let total = 0n;
      let overflow = false;
      for (const value of values) {
        total += value;
        overflow ||= BigInt.asIntN(256, total) !== total;
      }
      if (peak && !values.every(isMaximum)) expected.push({ error: "PeakValue" });
      else if (!peak && overflow) expected.push({ error: "RefereeSumOverflow" });
      else expected.push({ result: combine(operator, values) });

      const value = one();
      const exponent = peak ? (random.chance(0.1) ? random.pick([1n, -1n]) : 0n) : BigInt(random.between(-400, 200));
      calls.push({ functionName: "finish", args: [descriptor, value, exponent] });
      if (peak && !isMaximum(value)) expected.push({ error: "PeakValue" });
      else if (peak && exponent !== 0n) expected.push({ error: "PeakExponent" });
      else expected.push({ result: finish(operator, value, exponent) });
    }
    const outcomes = await run(referee, calls);
    for (const [i, outcome] of outcomes.entries()) assert.deepEqual(outcome, expected[i], show(calls[i]));
    const errors = new Set(expected.map((outcome) => ("error" in outcome ? outcome.error : "")));
    assert.deepEqual([...errors].sort(), ["", "PeakExponent", "PeakValue", "RefereeSumOverflow"]);
  });

  it("give no row to a negative index, however many rows there are", async () => {
    const operator: Operator = {
      family: "sumByIndex",
      dtype: 0,
      shape: [0xffffffff],
      length: 3,
      bits: 20,
      axis: 0,
      operands: [
        operand("state", 0, 3, [0, 1]),
        operand("state", 1, 1, [0, 0]),
        operand("state", 2, 3, [0, 1], { dtype: 1 }),
      ],
    };
    const state = [floats(1, 2, 4), floats(4), ints(-2, 0x7ffffffe, -2)];
    const position = { seed: 0n, step: 0, steps: 0, sampleCount: 0, sampleWords: 0, scheduleWidth: 0 };
    const world = new World({ operator: [], state, constant: [] }, [], new Uint32Array(0), position);
    const outcomes = await run(
      referee,
      [0xfffffffe, 0x7ffffffe].map((row) => elementCall(operator, row, world, world.witness(operator, row, 0, 3))),
    );
    assert.deepEqual(
      outcomes,
      [0, 2].map((sum) => ({ result: floats(sum)[0] })),
    );
  });

  it("copy no row for a negative index, however many rows there are", async () => {
    const operator: Operator = {
      family: "gather",
      dtype: 0,
      shape: [2],
      rowStride: 0,
      rows: 0xffffffff,
      operands: [operand("state", 0, 1, [0]), operand("state", 1, 2, [1], { dtype: 1 })],
    };
    const position = { seed: 0n, step: 0, steps: 0, sampleCount: 0, sampleWords: 0, scheduleWidth: 0 };
    const state = [floats(5), ints(-2, 3)];
    const world = new World({ operator: [], state, constant: [] }, [], new Uint32Array(0), position);
    const outcomes = await run(
      referee,
      [0, 1].map((element) => elementCall(operator, element, world, world.witness(operator, element, 0, 1))),
    );
    assert.deepEqual(
      outcomes,
      [0, 5].map((word) => ({ result: floats(word)[0] })),
    );
  });

  it("never count a wrapped sum: the partial sums of a claim stay in 256 bits", async () => {
    const operator = garbageOperator(new Random(1), "sum");
    const descriptor = bytesToHex(encodeOperator(operator));
    const most = 2n ** 255n - 1n;
    const sums: [bigint[], Outcome][] = [
      [[most, 1n], { error: "RefereeSumOverflow" }],
      [[-most, -2n], { error: "RefereeSumOverflow" }],
      [[-most, -1n], { result: -most - 1n }],
      [[most, -most, most], { result: most }],
      [[most, most, -most, -most], { error: "RefereeSumOverflow" }],
    ];
    const outcomes = await run(
      referee,
      sums.map(([values]) => ({
        functionName: "combine",
        args: [descriptor, Array.from({ length: 16 }, (_, i) => values[i] ?? 0n)],
      })),
    );
    assert.deepEqual(
      outcomes,
      sums.map(([, outcome]) => outcome),
    );
  });
});

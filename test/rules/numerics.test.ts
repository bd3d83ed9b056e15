/** The Solidity number libraries against their TypeScript twins, case by case. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { keyOf, permutationKeys, philox4x32, sampleRow } from "../../shared/numerics/philox.ts";
import { peakExponent } from "../../shared/numerics/quantise.ts";
import { roundToFloat32 } from "../../shared/numerics/rounding.ts";
import { permute, sampleAt } from "../../shared/numerics/sampleOrder.ts";
import { SAMPLE_ORDER } from "../../shared/program/descriptor.ts";
import { ORDERS } from "../helpers/descriptors.ts";
import { Random } from "../helpers/random.ts";
import {
  type Case,
  describeCase,
  edgeCases,
  NUMBER_FUNCTIONS,
  type NumberFunction,
  packCases,
} from "./numberFunctions.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
/** Cases in one call. */
const BATCH = 8192;
/** Cases of each function that rounds, compares or converts; the others need a tenth. */
const CASES = DEEP ? 10_000_000 : 2 * BATCH;
/** Share of them at and beside midpoints, where a function has any. */
const HARD_SHARE = 0.25;
const REPEATS = DEEP ? 100 : 1;

const { viem } = await network.connect();

describe("contracts/libraries numbers and shared/numerics", () => {
  let harness: Awaited<ReturnType<typeof viem.deployContract<"NumericsHarness">>>;
  before(async () => {
    harness = await viem.deployContract("NumericsHarness");
  });

  async function compare(subject: NumberFunction, cases: readonly Case[]): Promise<void> {
    const packed = packCases(subject, cases);
    const [at, result] = await harness.read.firstDifference([BigInt(subject.which), `0x${packed.toString("hex")}`]);
    if (Number(at) === cases.length) return;
    assert.fail(
      `${subject.name}: operands and TypeScript's word: ${describeCase(packed, Number(at))}, Solidity's: ${result.toString(16)}`,
    );
  }

  for (const [position, subject] of NUMBER_FUNCTIONS.entries()) {
    it(`agree on ${subject.name}`, async (context) => {
      const random = new Random(100 + position);
      await compare(subject, edgeCases(subject));
      const count = subject.isArithmetic ? CASES : CASES / 10;
      let hard = 0;
      for (; subject.hardCases !== undefined && hard < count * HARD_SHARE; hard += BATCH) {
        await compare(subject, subject.hardCases(random, BATCH));
      }
      let compared = 0;
      for (; compared < count - hard; compared += BATCH) {
        await compare(
          subject,
          Array.from({ length: BATCH }, () => subject.anyCase(random)),
        );
      }
      context.diagnostic(`${compared} random cases, ${hard} at and beside midpoints`);
    });
  }

  it("agree on RN32 of integers times powers of two", async () => {
    const random = new Random(6);
    for (let batch = 0; batch < REPEATS; batch++) {
      const values: bigint[] = [];
      const exponents: bigint[] = [];
      const push = (value: bigint, exponent: bigint): void => {
        values.push(BigInt.asIntN(256, value));
        exponents.push(exponent);
      };
      for (let i = 0; i < 2000; i++) {
        const bits = random.between(1, 256);
        let value = 0n;
        for (let word = 0; word < 8; word++) value = (value << 32n) | BigInt(random.word());
        value >>= BigInt(256 - bits);
        // Mostly the range where the result is neither zero nor infinity; ties by clearing the low bits.
        if (random.chance(0.5)) value = (value >> BigInt(Math.max(0, bits - 25))) << BigInt(Math.max(0, bits - 25));
        push(random.chance(0.5) ? value : -value, BigInt(random.between(-180, 140) - bits));
      }
      for (const value of [0n, 1n, -1n, 2n ** 255n - 1n, -(2n ** 255n), 2n ** 24n + 1n, 3n]) {
        for (const exponent of [0n, 104n, 127n, 128n, -149n, -150n, -151n, -173n, -404n, -405n, -1000n, -1001n, 1001n])
          push(value, exponent);
        for (const exponent of [2n ** 255n - 1n, -(2n ** 255n)]) push(value, exponent);
      }
      const words = await harness.read.roundToFloat32([values, exponents]);
      for (const [i, value] of values.entries())
        assert.equal(words[i], roundToFloat32(value, exponents[i]!) >>> 0, `${value} · 2^${exponents[i]}`);
    }
  });

  it("agree on the exponents of peaks", async () => {
    const random = new Random(7);
    const peaks = Array.from({ length: 512 }, (_, i) => ((i << 23) | (random.word() & 0x7fffff)) >>> 0);
    const exponents = await harness.read.peakExponents([peaks]);
    assert.deepEqual(
      exponents,
      peaks.map((peak) => BigInt(peakExponent(peak))),
    );
  });

  it("agree on Philox and on rows drawn with replacement", async () => {
    const random = new Random(8);
    for (let i = 0; i < 20; i++) {
      const counter = [random.word(), random.word(), random.word(), random.word()] as const;
      const key = (BigInt(random.word()) << 32n) | BigInt(random.word());
      assert.deepEqual(await harness.read.philox4x32([counter, key]), philox4x32(counter, keyOf(key)));
      const sampleCount = random.pick([0, 1, 2, 1000, 0xffffffff, random.word()]);
      const rows = Array.from({ length: 50 }, (_, row) => (i % 2 === 0 ? row : random.word()));
      assert.deepEqual(
        await harness.read.sampleRows([key, counter[0], rows, sampleCount]),
        rows.map((row) => BigInt(sampleRow(key, counter[0], row, sampleCount))),
      );
    }
  });

  it("agree on the orders of samples", async () => {
    const random = new Random(9);
    for (let batch = 0; batch < 4 * REPEATS; batch++) {
      const seed = (BigInt(random.word()) << 32n) | BigInt(random.word());
      const cases = Array.from({ length: 100 }, () => {
        const rows = random.pick([1, 4, 0xffffffff, random.between(1, 5000)]);
        return {
          order: random.pick(ORDERS),
          step: random.pick([0, 1, 0xffffffff, random.below(10_000)]),
          rows,
          row: random.below(rows),
          count: random.pick([1, 2, 3, 5, 64, 65, 0xffffffff, random.between(1, 100), random.between(1, 0xffffffff)]),
        };
      });
      const samples = await harness.read.samplesAt([
        seed,
        cases.map(({ order }) => BigInt(SAMPLE_ORDER[order])),
        cases.map(({ step }) => step),
        cases.map(({ rows }) => rows),
        cases.map(({ row }) => row),
        cases.map(({ count }) => count),
      ]);
      for (const [i, { order, count, ...place }] of cases.entries())
        assert.equal(Number(samples[i]), sampleAt(order, seed, place, count), JSON.stringify(cases[i]));

      const keys = permutationKeys(seed, 3n);
      const counts = cases.map(({ count }) => count);
      const places = counts.map((count) => random.below(count));
      const permuted = await harness.read.permutes([keys as never, places.map(BigInt), counts.map(BigInt)]);
      for (const [i, count] of counts.entries()) assert.equal(Number(permuted[i]), permute(keys, places[i]!, count));
    }
  });

  it("end alike a walk that does not come back among the samples", async () => {
    let capped = 0;
    for (let epoch = 0n; epoch < 30n; epoch++) {
      const keys = permutationKeys(1n, epoch);
      // Of two bits, 3 alone is no place of three; from there a walk may stay there.
      const [ended] = await harness.read.permutes([keys as never, [3n], [3n]]);
      assert.equal(Number(ended), permute(keys, 3, 3));
      if (permute(keys, 3, 4) === 3) capped++;
    }
    assert.ok(capped > 2, `${capped} walks were cut`);
  });
});

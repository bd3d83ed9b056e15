/** The Solidity number libraries against their TypeScript twins, case by case. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import type { Hex } from "viem";
import * as float32 from "../../shared/numerics/float32.ts";
import { keyOf, philox4x32, sampleRow } from "../../shared/numerics/philox.ts";
import { peakExponent, quantise } from "../../shared/numerics/quantise.ts";
import { roundToFloat32 } from "../../shared/numerics/rounding.ts";
import { MapOpcode } from "../../shared/program/descriptor.ts";
import { anyFloat } from "../helpers/float32.ts";
import { Random } from "../helpers/random.ts";
import { hardQuotients, hardRoots, subnormalQuotients, tiedProducts, tiedSums } from "./hardFloats.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1" ? 100 : 1;
const BATCH = 8192;
/** The first of FUNCTIONS: those that round. */
const ARITHMETIC = 5;

const { viem } = await network.connect();

type Case = readonly [a: number, b: number, c: number];

const FUNCTIONS: Readonly<Record<string, { which: number; twin: (a: number, b: number, c: number) => number }>> = {
  add: { which: MapOpcode.add, twin: float32.add },
  sub: { which: MapOpcode.sub, twin: float32.sub },
  mul: { which: MapOpcode.mul, twin: float32.mul },
  div: { which: MapOpcode.div, twin: float32.div },
  sqrt: { which: MapOpcode.sqrt, twin: float32.sqrt },
  abs: { which: MapOpcode.abs, twin: float32.abs },
  neg: { which: MapOpcode.neg, twin: float32.neg },
  max: { which: MapOpcode.max, twin: float32.max },
  min: { which: MapOpcode.min, twin: float32.min },
  less: { which: MapOpcode.less, twin: float32.less },
  equal: { which: MapOpcode.equal, twin: float32.equal },
  select: { which: MapOpcode.select, twin: float32.select },
  canonical: { which: 13, twin: float32.canonical },
  fromInt: { which: 14, twin: float32.fromInt },
  isNan: { which: 15, twin: (a) => (float32.isNan(a) ? 1 : 0) },
};

function pack(cases: readonly Case[]): Hex {
  const words = new DataView(new ArrayBuffer(cases.length * 12));
  for (const [i, words3] of cases.entries())
    for (const [j, word] of words3.entries()) words.setUint32(12 * i + 4 * j, word);
  return `0x${Buffer.from(words.buffer).toString("hex")}`;
}

/** Operands of one case: independent, or related so that cancellation, equality and neighbours occur. */
function anyCase(random: Random): Case {
  const a = anyFloat(random);
  const related = [a, a ^ 0x80000000, a + 1, a - 1, (a & 0xff800000) | (random.word() & 0x7fffff)];
  const b = random.chance(0.4) ? random.pick(related) >>> 0 : anyFloat(random);
  return [a, b, anyFloat(random)];
}

describe("contracts/libraries numbers and shared/numerics", () => {
  let harness: Awaited<ReturnType<typeof viem.deployContract<"NumericsHarness">>>;
  before(async () => {
    harness = await viem.deployContract("NumericsHarness");
  });

  async function compare(name: string, cases: readonly Case[]): Promise<void> {
    const { which, twin } = FUNCTIONS[name]!;
    for (let from = 0; from < cases.length; from += BATCH) {
      const batch = cases.slice(from, from + BATCH);
      const words = await harness.read.float32([BigInt(which), pack(batch)]);
      assert.equal(words.length, batch.length);
      for (const [i, operands] of batch.entries()) {
        const expected = twin(...operands) >>> 0;
        if (words[i] === expected) continue;
        const hex = [...operands, words[i]!, expected].map((word) => word.toString(16)).join(" ");
        assert.fail(`${name}: operands, Solidity's word, TypeScript's word: ${hex}`);
      }
    }
  }

  for (const [position, name] of Object.keys(FUNCTIONS).entries()) {
    it(`agree on ${name}`, async () => {
      const random = new Random(100 + position);
      // The rest only selects, orders or copies bits: a tenth is plenty.
      const batches = position < ARITHMETIC ? DEEP : Math.ceil(DEEP / 10);
      for (let batch = 0; batch < batches; batch++)
        await compare(
          name,
          Array.from({ length: BATCH }, () => anyCase(random)),
        );
    });
  }

  it("agree on every pair of a grid of edges", async () => {
    const edges = [0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x4b7fffff, 0x4b800000];
    edges.push(0x7f7ffffe, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x40400000, 0x0c800000);
    const signed = edges.flatMap((word) => [word, (word | 0x80000000) >>> 0]);
    const cases = signed.flatMap((a) => signed.map((b): Case => [a, b, 0x3f800000]));
    for (const name of Object.keys(FUNCTIONS)) await compare(name, cases);
  });

  it("agree on quotients, roots, products and sums at and beside midpoints", async () => {
    const random = new Random(5);
    for (let batch = 0; batch < DEEP; batch++) {
      await compare("div", hardQuotients(random, 2000));
      await compare("div", subnormalQuotients(random, 2000));
      await compare("mul", tiedProducts(random, 4000));
      await compare("add", tiedSums(random, 4000));
      await compare("sub", tiedSums(random, 4000));
    }
    await compare("sqrt", hardRoots(random, 2000));
  });

  it("agree on RN32 of integers times powers of two", async () => {
    const random = new Random(6);
    for (let batch = 0; batch < DEEP; batch++) {
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

  it("agree on quantisation", async () => {
    const random = new Random(7);
    for (let batch = 0; batch < DEEP; batch++) {
      const cases = Array.from({ length: BATCH }, (): Case => {
        const peak = random.chance(0.3) ? anyFloat(random) : random.between(0, 255) << 23;
        const exponent = Math.min(254, Math.max(0, ((peak >>> 23) & 0xff) - random.between(-2, 26)));
        // Near the grid: few significant bits make ties.
        const near = (exponent << 23) | (random.word() & random.pick([0x7fffff, 0x7e0000, 0x400000, 0]));
        const x = random.chance(0.3) ? anyFloat(random) : (near | (random.word() & 0x80000000)) >>> 0;
        return [x, peak, random.between(1, 22)];
      });
      const digits = await harness.read.quantise([pack(cases)]);
      for (const [i, [x, peak, bits]] of cases.entries())
        assert.equal(digits[i], BigInt(quantise(x, peak, bits)), `${x.toString(16)} ${peak.toString(16)} ${bits}`);
    }
    const peaks = Array.from({ length: 512 }, (_, i) => ((i << 23) | (random.word() & 0x7fffff)) >>> 0);
    const exponents = await harness.read.peakExponents([peaks]);
    assert.deepEqual(
      exponents,
      peaks.map((peak) => BigInt(peakExponent(peak))),
    );
  });

  it("agree on Philox and on the sample order", async () => {
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
});

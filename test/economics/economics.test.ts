import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { escrow, minimalBond } from "../../shared/economics/bonds.ts";
import { EconomicsRangeError, probabilityCaught, probabilityReplayed } from "../../shared/economics/detection.ts";
import { conviction } from "../../shared/economics/payout.ts";
import { Random } from "../helpers/random.ts";

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`);

describe("detection", () => {
  it("is 1 − (1 − f)^q", () => {
    const random = new Random(1);
    for (let round = 0; round < 200; round++) {
      const f = random.unit();
      const q = random.below(60);
      close(probabilityCaught(f, q), 1 - (1 - f) ** q);
    }
  });

  it("agrees with drawing", () => {
    const random = new Random(2);
    const trials = 20_000;
    let caught = 0;
    for (let trial = 0; trial < trials; trial++) {
      if (Array.from({ length: 5 }, () => random.chance(0.15)).includes(true)) caught++;
    }
    // Four standard deviations of the mean.
    const expected = probabilityCaught(0.15, 5);
    assert.ok(Math.abs(caught / trials - expected) < 4 * Math.sqrt((expected * (1 - expected)) / trials));
  });

  it("keeps the digits of small fractions", () => {
    const f = 1e-18;
    assert.ok(Math.abs(probabilityCaught(f, 3) / (3 * f) - 1) < 1e-12);
  });

  it("is 0 and 1 at its ends", () => {
    assert.equal(probabilityCaught(0, 100), 0);
    assert.equal(probabilityCaught(1, 1), 1);
    assert.equal(probabilityCaught(1, 0), 0);
    assert.equal(probabilityCaught(0.5, 0), 0);
  });

  it("of a segment needs the sample and an honest seat", () => {
    close(probabilityReplayed(65536, 1, 1), 1);
    close(probabilityReplayed(32768, 2, 0.5), 0.375);
    close(probabilityReplayed(0, 5, 1), 0);
    close(probabilityReplayed(65536, 0, 1), 0);
  });

  it("refuses what is no probability or count", () => {
    for (const call of [
      () => probabilityCaught(-0.1, 1),
      () => probabilityCaught(1.1, 1),
      () => probabilityCaught(Number.NaN, 1),
      () => probabilityCaught(0.5, -1),
      () => probabilityCaught(0.5, 1.5),
      () => probabilityReplayed(65537, 1, 1),
      () => minimalBond(1n, 0),
      () => minimalBond(1n, 1.1),
      () => minimalBond(1n, 1e-10),
      () => minimalBond(1n, Number.NaN),
    ]) {
      assert.throws(call, EconomicsRangeError);
    }
  });
});

describe("bonds", () => {
  it("are the least with which cheating does not pay", () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round++) {
      const gain = BigInt(random.below(1_000_000));
      const billionths = random.between(1, 999_999_999);
      const pays = (burned: bigint) => BigInt(billionths) * burned < BigInt(1_000_000_000 - billionths) * gain;
      // A tenth more, so that the product with 1e9 does not fall below the whole number.
      const bond = minimalBond(gain, (billionths + 0.1) / 1e9);
      assert.equal(pays(conviction(bond).burned), false, `${gain} at ${billionths}`);
      if (bond > 0n) assert.equal(pays(bond / 2n - 1n), true, `${gain} at ${billionths}`);
    }
    assert.equal(minimalBond(100n, 1), 0n);
    assert.equal(minimalBond(100n, 0.5), 200n);
    assert.equal(minimalBond(0n, 0.5), 0n);
  });

  it("and escrow are what the task says", () => {
    assert.equal(escrow(1000n, 5n, 3, 4), 1060n);
  });
});

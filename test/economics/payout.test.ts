import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { BURNED, conviction, expiry, upheld } from "../../shared/economics/payout.ts";
import { Random } from "../helpers/random.ts";

const { viem } = await network.connect();

describe("payouts in TypeScript and Solidity", () => {
  let harness: Awaited<ReturnType<typeof viem.deployContract<"PayoutHarness">>>;
  before(async () => {
    harness = await viem.deployContract("PayoutHarness");
  });

  it("agree, and neither lose nor make anything", async () => {
    const random = new Random(1);
    const amounts = [0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 2n ** 96n - 1n];
    for (let round = 0; round < 20; round++) amounts.push(BigInt(random.word()) << BigInt(random.below(64)));
    for (const amount of amounts) {
      const convicted = conviction(amount);
      assert.deepEqual(await harness.read.conviction([amount]), [
        convicted.challenger,
        convicted.requester,
        convicted.burned,
      ]);
      assert.equal(convicted.challenger + convicted.requester + convicted.burned, amount);
      assert.ok(2n * convicted.burned >= amount);
      const lost = upheld(amount);
      assert.deepEqual(await harness.read.upheld([amount]), [lost.defendant, lost.burned]);
      assert.equal(lost.defendant + lost.burned, amount);
      const stopped = expiry(amount);
      assert.deepEqual(await harness.read.expiry([amount]), [stopped.burned, stopped.solver]);
      assert.equal(stopped.burned + stopped.solver, amount);
    }
    assert.equal(await harness.read.burnedAccount(), BURNED);
  });
});

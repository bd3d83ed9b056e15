import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ProgramProcess } from "../../requester/demo/programProcess.ts";
import { STARTING_TOKENS, Stage } from "../../requester/demo/stage.ts";

describe("touchstone faucet", () => {
  let folder: string;
  let stage: Stage;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    stage = await Stage.build("hardhat", folder);
  });
  after(async () => {
    await stage.close();
    await rm(folder, { recursive: true });
  });

  it("mints whole tokens to the account of the key", async () => {
    const options = ["--rpc", stage.chain.url, "--market", stage.deployment.market];
    const key = stage.account("requester").key;
    const faucet = new ProgramProcess("faucet", "requester", ["faucet", "--tokens", "5", ...options], {
      TOUCHSTONE_KEY: key,
    });
    const minted = await faucet.waitFor("minting", ({ event }) => event === "minted");
    assert.equal(minted.address, stage.account("requester").address);
    assert.equal(minted.balance, String(STARTING_TOKENS + 5n * 10n ** 18n));
    assert.equal(await stage.balance("requester"), STARTING_TOKENS + 5n * 10n ** 18n);
    assert.equal(await faucet.ended, 0);
  });
});

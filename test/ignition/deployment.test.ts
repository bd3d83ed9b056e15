/** The command by which docs/cli.md deploys the protocol, on a chain of the test's own. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { readDeployment } from "../../shared/chain/deployments.ts";
import { deployLocalToken, type LocalNode, startLocalNode } from "../chain/localNode.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

describe("the documented deployment", () => {
  const deploymentId = `test-${process.pid}`;
  const journal = path.join(ROOT, "ignition/deployments", deploymentId);
  let node: LocalNode;
  let folder: string;

  before(async () => {
    node = await startLocalNode();
    folder = await mkdtemp(path.join(os.tmpdir(), "touchstone-ignition-"));
  });
  after(async () => {
    await node.close();
    await rm(folder, { recursive: true });
    await rm(journal, { recursive: true, force: true });
  });

  it("puts a market over a token that exists", async () => {
    const token = await deployLocalToken(node);
    // Ignition waits for a few blocks after each transaction.
    await node.rpc("evm_setIntervalMining", [50]);
    const parameters = path.join(folder, "parameters.json");
    const page = await readFile(path.join(ROOT, "docs/cli.md"), "utf8");
    const example = /^(\{"Touchstone":.*\})$/m.exec(page)![1]!;
    await writeFile(parameters, example.replace(/0x…/, token));
    const command = /npx (hardhat .* ignition deploy .*)$/m.exec(page)![1]!.split(" ");
    const args = [...command.slice(1), "--deployment-id", deploymentId].map((argument) =>
      argument === "parameters.json" ? parameters : argument,
    );
    await promisify(execFile)(process.execPath, [path.join(ROOT, "node_modules/.bin/hardhat"), ...args], {
      cwd: ROOT,
      env: {
        ...process.env,
        TOUCHSTONE_RPC: node.url,
        TOUCHSTONE_KEY: localAccount(0).key,
        HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "false",
      },
    });
    const addresses = JSON.parse(await readFile(path.join(journal, "deployed_addresses.json"), "utf8"));
    const deployment = await readDeployment(node.chain, addresses["Touchstone#TrainingMarket"]);
    assert.deepEqual(deployment, {
      market: addresses["Touchstone#TrainingMarket"],
      game: addresses["Touchstone#DisputeGame"],
      referee: addresses["Touchstone#Referee"],
      token,
    });
    const stake = await node.chain.client.readContract({
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "seatStake",
    });
    assert.equal(stake, BigInt(/"seatStake": ?"(\d+)n"/.exec(example)![1]!));
  });
});

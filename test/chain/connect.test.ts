import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { deployLocally } from "../../requester/localChain/deploy.ts";
import { blockTime } from "../../shared/chain/clock.ts";
import { connect, requireContract, requireFunds } from "../../shared/chain/connect.ts";
import { ContractsNotCompiledError, contractArtifact } from "../../shared/chain/contracts.ts";
import { type Deployment, DeploymentError, readDeployment } from "../../shared/chain/deployments.ts";
import { ChainUnreachableError, NoContractError, NoFundsError, WrongChainError } from "../../shared/chain/errors.ts";
import { type LocalNode, startLocalNode, testAccount } from "./localNode.ts";

let node: LocalNode;
let deployment: Deployment;
const directory = await mkdtemp(path.join(os.tmpdir(), "touchstone-connect-"));
before(async () => {
  node = await startLocalNode();
  deployment = await deployLocally(node.url, localAccount(0).key);
});
after(async () => {
  await node.close();
  await rm(directory, { recursive: true });
});

async function serverThat(listener: RequestListener): Promise<{ url: string; close: () => void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

describe("connect", () => {
  it("learns the chain's number, and takes the expected one", async () => {
    assert.equal(node.chain.chainId, 31337);
    assert.equal((await connect({ url: node.url, chainId: 31337 })).chainId, 31337);
  });

  it("refuses another chain", async () => {
    await assert.rejects(connect({ url: node.url, chainId: 1 }), (error: WrongChainError) => {
      assert.ok(error instanceof WrongChainError);
      assert.deepEqual([error.expected, error.actual], [1, 31337]);
      return true;
    });
  });

  it("says that nobody listens, that it is no chain, that it is silent", async () => {
    const gone = await serverThat(() => {});
    gone.close();
    await assert.rejects(connect({ url: gone.url }), ChainUnreachableError);
    const website = await serverThat((_, response) => response.end("<html>"));
    await assert.rejects(connect({ url: website.url }), ChainUnreachableError);
    website.close();
    const refusing = await serverThat((_, response) => response.writeHead(403).end());
    await assert.rejects(connect({ url: refusing.url }), ChainUnreachableError);
    refusing.close();
    const silent = await serverThat(() => {});
    await assert.rejects(connect({ url: silent.url, timeoutMs: 50 }), ChainUnreachableError);
    silent.close();
    for (const url of ["", "localhost", "ftp://x", "ws://127.0.0.1:1"]) {
      await assert.rejects(connect({ url }), ChainUnreachableError, url);
    }
  });

  it("tells contracts from accounts", async () => {
    assert.equal(await requireContract(node.chain, deployment.token.toLowerCase(), "token"), deployment.token);
    await assert.rejects(requireContract(node.chain, testAccount(1).address, "token"), NoContractError);
    await assert.rejects(requireContract(node.chain, "0x12", "token"), NoContractError);
  });

  it("tells accounts with coins from those without", async () => {
    assert.equal(await requireFunds(node.chain, testAccount(5).address, 1n), 10_000n * 10n ** 18n);
    const poor = `0x${"12".repeat(20)}` as const;
    await assert.rejects(requireFunds(node.chain, poor, 5n), (error: NoFundsError) => {
      assert.ok(error instanceof NoFundsError);
      assert.deepEqual([error.address, error.balance, error.needed], [poor, 0n, 5n]);
      return true;
    });
  });
});

describe("readDeployment", () => {
  it("reads everything from the market", async () => {
    assert.deepEqual(await readDeployment(node.chain, deployment.market), deployment);
  });

  it("takes a file", async () => {
    const file = path.join(directory, "deployment.json");
    await writeFile(file, JSON.stringify({ chainId: 31337, market: deployment.market }));
    assert.deepEqual(await readDeployment(node.chain, file), deployment);
    await writeFile(file, JSON.stringify({ chainId: 5, market: deployment.market }));
    await assert.rejects(readDeployment(node.chain, file), WrongChainError);
    for (const content of ["", "{}", '{"chainId":31337,"market":"0x12"}', '{"chainId":"31337"}']) {
      await writeFile(file, content);
      await assert.rejects(readDeployment(node.chain, file), DeploymentError, content);
    }
    await assert.rejects(readDeployment(node.chain, path.join(directory, "none.json")), DeploymentError);
  });

  it("refuses an account and any other contract", async () => {
    await assert.rejects(readDeployment(node.chain, testAccount(0).address), NoContractError);
    for (const other of [deployment.token, deployment.game, deployment.referee]) {
      await assert.rejects(readDeployment(node.chain, other), DeploymentError);
    }
  });
});

describe("contracts", () => {
  it("say that they must be compiled first", () => {
    assert.throws(() => contractArtifact("TrainingMarket", directory), ContractsNotCompiledError);
  });
});

describe("the clock", () => {
  it("is the time of the latest block", async () => {
    await node.rpc("evm_increaseTime", [1000]);
    const old = await blockTime(node.chain);
    await node.rpc("evm_mine");
    const now = await blockTime(node.chain);
    assert.ok(now >= old + 1000);
    const block = await node.rpc<{ timestamp: string }>("eth_getBlockByNumber", ["latest", false]);
    assert.equal(now, Number(block.timestamp));
  });
});

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Address } from "viem";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { deployLocally } from "../../requester/localChain/deploy.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { ChainUnreachableError, CursorError, ReorganisedError } from "../../shared/chain/errors.ts";
import { type FollowOptions, followEvents } from "../../shared/chain/follower.ts";
import { followProtocol } from "../../shared/chain/followProtocol.ts";
import { Sender } from "../../shared/chain/sender.ts";
import { deployLocalToken, type LocalNode, startLocalNode, testAccount } from "./localNode.ts";

const abi = contractAbi("LocalToken");
type TokenAbi = typeof abi;
let node: LocalNode;
let sender: Sender;
let token: Address;
let controller: AbortController;
let files = 0;
const directory = await mkdtemp(path.join(os.tmpdir(), "touchstone-follower-"));

before(async () => {
  node = await startLocalNode();
  sender = new Sender(node.chain, testAccount(0));
});
after(async () => {
  await node.close();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  node.meddle = undefined;
  controller = new AbortController();
  token = await deployLocalToken(node);
});
afterEach(() => controller.abort());

const mint = (amount: number) => sender.send({ address: token, abi, functionName: "faucet", args: [BigInt(amount)] });
const mine = (blocks: number) => node.rpc("hardhat_mine", [`0x${blocks.toString(16)}`]);
const freshFile = () => path.join(directory, `${files++}`, "cursor.json");

/** Follows the token's transfers; amounts, negative when taken back. */
function follow(options: Partial<FollowOptions<TokenAbi>> = {}) {
  const { signal } = controller;
  const events = followEvents({ chain: node.chain, addresses: [token], abi, signal, ...options });
  return {
    events,
    async take(count: number): Promise<number[]> {
      const amounts: number[] = [];
      while (amounts.length < count) {
        const { value, done } = await events.next();
        assert.ok(!done, "the events ended");
        assert.equal(value.eventName, "Transfer");
        if (value.eventName === "Transfer") amounts.push(Number(value.args.value) * (value.removed ? -1 : 1));
      }
      return amounts;
    },
  };
}
/** What a new follower tells until it has caught up. */
async function takeAll(options: Partial<FollowOptions<TokenAbi>>): Promise<number[]> {
  await mint(999_999);
  const { take } = follow(options);
  const amounts: number[] = [];
  while (amounts.at(-1) !== 999_999) amounts.push(...(await take(1)));
  return amounts.slice(0, -1);
}

describe("followEvents", () => {
  it("tells past and future events in order", async () => {
    await mint(1);
    await mint(2);
    const { take } = follow();
    assert.deepEqual(await take(2), [1, 2]);
    const next = take(3);
    await mint(3);
    await mine(5);
    await mint(4);
    await mint(5);
    assert.deepEqual(await next, [3, 4, 5]);
  });

  it("tells several events of one block in order", async () => {
    await node.rpc("evm_setAutomine", [false]);
    const sending = Promise.all([mint(1), mint(2), mint(3)]);
    while ((await node.rpc<unknown[]>("eth_pendingTransactions")).length < 3);
    await node.rpc("evm_setAutomine", [true]);
    await mine(1);
    await sending;
    assert.deepEqual(await follow().take(3), [1, 2, 3]);
  });

  it("leaves out other contracts and, with a start, older events", async () => {
    await mint(1);
    const fromBlock = (await mint(2)).receipt.blockNumber;
    const other = await deployLocalToken(node);
    await sender.send({ address: other, abi, functionName: "faucet", args: [7n] });
    await mint(3);
    assert.deepEqual(await takeAll({ fromBlock }), [2, 3]);
  });

  it("resumes after what was handled, and repeats what was not", async () => {
    const cursorFile = freshFile();
    const options = { cursorFile, reorgDepth: 2 };
    await mint(1);
    await mint(2);
    await mine(5);
    const first = follow(options);
    assert.deepEqual(await first.take(2), [1, 2]);
    const more = first.take(1);
    await mint(3);
    assert.deepEqual(await more, [3]);
    // The caller dies before it has handled the third.
    await first.events.return();
    assert.deepEqual(await takeAll(options), [3]);
  });

  it("does not read the settled past again", async () => {
    const cursorFile = freshFile();
    await mint(1);
    await mine(20);
    const { take } = follow({ cursorFile, reorgDepth: 4 });
    await take(1);
    const pending = take(1);
    await mint(2);
    await pending;
    const head = (await mint(3)).receipt.blockNumber;
    const asked: bigint[] = [];
    node.meddle = ({ method, params }) => {
      if (method === "eth_getLogs") asked.push(BigInt((params[0] as { fromBlock: string }).fromBlock));
      return undefined;
    };
    assert.deepEqual(await takeAll({ cursorFile, reorgDepth: 4 }), [2, 3]);
    assert.ok(asked[0]! >= head - 6n, `asked from ${asked[0]} at ${head}`);
  });

  it("tells what a reorganisation took back, then what replaced it", async () => {
    await mint(1);
    const { take } = follow();
    await take(1);
    const snapshot = await node.rpc("evm_snapshot");
    const before = take(2);
    await mint(2);
    await mint(3);
    assert.deepEqual(await before, [2, 3]);
    await node.rpc("evm_revert", [snapshot]);
    const afterwards = take(5);
    await mint(4);
    await mint(2);
    await mint(5);
    const told = await afterwards;
    assert.deepEqual(told.slice(0, 2), [-3, -2]);
    assert.deepEqual(told.slice(2), [4, 2, 5]);
  });

  it("believes a chain that stays shorter", async () => {
    const snapshot = await node.rpc("evm_snapshot");
    await mint(1);
    await mint(2);
    const { take } = follow();
    await take(2);
    await node.rpc("evm_revert", [snapshot]);
    assert.deepEqual(await take(2), [-2, -1]);
  });

  it("refuses a reorganisation deeper than it follows", async () => {
    const snapshot = await node.rpc("evm_snapshot");
    await mint(1);
    await mine(9);
    const { take } = follow({ reorgDepth: 3 });
    await take(1);
    const next = take(1);
    await node.rpc("evm_revert", [snapshot]);
    await mint(2);
    await mine(20);
    await assert.rejects(next, ReorganisedError);
  });

  it("refuses a cursor of a chain that was replaced", async () => {
    const cursorFile = freshFile();
    const snapshot = await node.rpc("evm_snapshot");
    await mint(1);
    await mine(9);
    const { take } = follow({ cursorFile, reorgDepth: 1 });
    await take(1);
    const pending = take(1);
    await mint(2);
    await pending;
    await node.rpc("evm_revert", [snapshot]);
    await mine(30);
    await assert.rejects(follow({ cursorFile, reorgDepth: 1 }).take(1), ReorganisedError);
  });

  it("refuses a damaged cursor and another chain's", async () => {
    const cursorFile = freshFile();
    await mint(1);
    await mine(9);
    const { take } = follow({ cursorFile, reorgDepth: 1 });
    await take(1);
    const pending = take(1);
    await mint(2);
    await pending;
    const good = await readFile(cursorFile, "utf8");
    for (const bad of ["", good.slice(1), "{}", good.replace('"version":1', '"version":2'), good.replace("0x", "")]) {
      await writeFile(cursorFile, bad);
      await assert.rejects(follow({ cursorFile }).take(1), CursorError, bad);
    }
    await writeFile(cursorFile, good.replace("31337", "1"));
    await assert.rejects(follow({ cursorFile }).take(1), CursorError);
    await assert.rejects(follow({ cursorFile: directory }).take(1), CursorError);
  });

  it("asks in pieces that the node accepts", async () => {
    await mint(1);
    await mine(40);
    await mint(2);
    const widths: number[] = [];
    node.meddle = ({ method, params, id }) => {
      if (method !== "eth_getLogs") return undefined;
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      widths.push(Number(toBlock) - Number(fromBlock) + 1);
      if (widths.at(-1)! <= 5) return undefined;
      return widths.length % 2 ? 413 : { jsonrpc: "2.0", id, error: { code: -32005, message: "too many blocks" } };
    };
    assert.deepEqual(await takeAll({ maximumRange: 16 }), [1, 2]);
    assert.ok(Math.max(...widths) <= 16);
    assert.ok(widths.includes(5) || widths.includes(4));
  });

  it("finds events that a node had not indexed yet", async () => {
    const { take } = follow();
    let hidden = 0;
    node.meddle = async ({ method }, pass) => {
      if (method !== "eth_getLogs" || hidden >= 2) return undefined;
      hidden++;
      return { ...(await pass()), result: [] };
    };
    const next = take(2);
    await mint(1);
    while (hidden < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    await mint(2);
    await mint(3);
    const told = await next;
    assert.deepEqual(told, [1, 2]);
    assert.equal(hidden, 2);
  });

  it("outlasts a node that fails for a while", async () => {
    const { take } = follow();
    let failures = 0;
    node.meddle = ({ method }) => (method === "eth_getLogs" && failures++ < 9 ? 503 : undefined);
    const next = take(1);
    await mint(1);
    assert.deepEqual(await next, [1]);
    assert.ok(failures >= 9);
  });

  it("gives up on a node that stays silent", async () => {
    node.meddle = () => 503;
    await assert.rejects(follow({ giveUpMs: 50 }).take(1), ChainUnreachableError);
  });

  it("ends with its signal", async () => {
    await mint(1);
    const { events, take } = follow();
    await take(1);
    const next = events.next();
    controller.abort();
    assert.equal((await next).done, true);
  });
});

describe("followProtocol", () => {
  it("tells the market's events, typed", async () => {
    const deployment = await deployLocally(node.url, localAccount(0).key);
    const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
    const stake = await node.chain.client.readContract({ ...market, functionName: "seatStake" });
    await sender.send({ address: deployment.token, abi, functionName: "faucet", args: [stake] });
    await sender.send({ address: deployment.token, abi, functionName: "approve", args: [deployment.market, stake] });
    await sender.send({ ...market, functionName: "joinSeats", args: [1n] });
    for await (const event of followProtocol(node.chain, deployment, { signal: controller.signal })) {
      assert.equal(event.eventName, "SeatJoined");
      if (event.eventName === "SeatJoined") assert.equal(event.args.verifier, sender.address);
      break;
    }
  });
});

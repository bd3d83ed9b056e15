import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Address, type Hex, parseGwei } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { deployLocally } from "../../requester/localChain/deploy.ts";
import { blockTime } from "../../shared/chain/clock.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import type { Deployment } from "../../shared/chain/deployments.ts";
import {
  ChainRefusedError,
  ChainUnreachableError,
  ContractRevertError,
  NoFundsError,
  NonceTakenError,
  TransactionLateError,
  TransactionPendingError,
} from "../../shared/chain/errors.ts";
import { type Included, Sender } from "../../shared/chain/sender.ts";
import { type LocalNode, startLocalNode, testAccount } from "./localNode.ts";

const abi = contractAbi("LocalToken");
const stranger = `0x${"34".repeat(20)}` as const;
let node: LocalNode;
let token: Address;
let deployment: Deployment;
let accounts = 10;

before(async () => {
  node = await startLocalNode();
  deployment = await deployLocally(node.url, localAccount(0).key);
  token = deployment.token;
});
after(() => node.close());
beforeEach(async () => {
  node.meddle = undefined;
  await setBaseFee("1");
  await node.rpc("evm_setAutomine", [true]);
});

/** A sender with an account of its own and 100 tokens. */
async function freshSender(options = {}): Promise<Sender> {
  const sender = new Sender(node.chain, testAccount(accounts++), options);
  await node.rpc("hardhat_setBalance", [sender.address, `0x${(10n ** 19n).toString(16)}`]);
  await sender.send({ address: token, abi, functionName: "faucet", args: [100n] });
  return sender;
}
const transfer = (to: Address, amount: bigint) =>
  ({ address: token, abi, functionName: "transfer", args: [to, amount] }) as const;
const balanceOf = (account: Address) =>
  node.chain.client.readContract({ address: token, abi, functionName: "balanceOf", args: [account] });
/** Mines a block with this base fee, without what does not pay it. */
async function setBaseFee(gwei: string): Promise<void> {
  await node.rpc("hardhat_setNextBlockBaseFeePerGas", [`0x${parseGwei(gwei).toString(16)}`]);
  await node.rpc("evm_mine");
}
const pendingTransactions = () => node.rpc<{ hash: Hex; nonce: Hex }[]>("eth_pendingTransactions");
/** Mines until the promise settles. */
async function mined<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  await until(async () => {
    await node.rpc("evm_mine");
    return settled;
  });
  return done;
}
/** Waits for the one pending transaction. */
async function onlyPending(): Promise<{ hash: Hex; nonce: Hex }> {
  await until(async () => (await pendingTransactions()).length === 1);
  return (await pendingTransactions())[0]!;
}
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await condition()); looks++) {
    assert.ok(looks < 1000, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("Sender", () => {
  it("returns the result, the receipt of exactly this transaction, and counts its gas", async () => {
    const told: Included[] = [];
    const sender = await freshSender({ onIncluded: (included: Included) => told.push(included) });
    const before = sender.gasUsed;
    const sent = await sender.send(transfer(stranger, 5n));
    assert.equal(sent.result, true);
    assert.equal(sent.receipt.transactionHash, sent.hash);
    const onChain = await node.rpc<{ gasUsed: string; status: string }>("eth_getTransactionReceipt", [sent.hash]);
    assert.equal(sent.gasUsed, BigInt(onChain.gasUsed));
    assert.equal(onChain.status, "0x1");
    assert.equal(sender.gasUsed - before, sent.gasUsed);
    assert.equal(told.at(-1)!.hash, sent.hash);
    assert.equal(told.at(-1)!.what, "transfer");
  });

  it("does not send what a contract refuses, and says the contract's reason", async () => {
    const sender = await freshSender();
    const nonce = await node.chain.client.getTransactionCount({ address: sender.address });
    await assert.rejects(sender.send(transfer(stranger, 101n)), (error: ContractRevertError) => {
      assert.ok(error instanceof ContractRevertError);
      assert.equal(error.errorName, "ERC20InsufficientBalance");
      assert.deepEqual(error.args, [sender.address, 100n, 101n]);
      assert.equal(error.hash, undefined);
      return true;
    });
    assert.equal(await node.chain.client.getTransactionCount({ address: sender.address }), nonce);
    assert.equal((await sender.send(transfer(stranger, 1n))).result, true);
  });

  it("says the reason of a contract further down", async () => {
    const sender = await freshSender();
    const call = {
      address: deployment.market,
      abi: contractAbi("TrainingMarket"),
      functionName: "joinSeats",
      args: [1n],
    } as const;
    await assert.rejects(sender.send(call), (error: ContractRevertError) => {
      assert.equal(error.errorName, "ERC20InsufficientAllowance");
      return true;
    });
  });

  it("says that the reason is unknown when there is none", async () => {
    const sender = await freshSender();
    // The token has no such function: it reverts without data.
    const call = { ...transfer(stranger, 1n), abi: contractAbi("TrainingMarket"), functionName: "withdraw" } as const;
    await assert.rejects(sender.send({ ...call, args: [stranger] }), (error: ContractRevertError) => {
      assert.ok(error instanceof ContractRevertError, String(error));
      assert.equal(error.errorName, undefined);
      return true;
    });
  });

  it("keeps the order of calls that are made together", async () => {
    const sender = await freshSender();
    await node.rpc("evm_setAutomine", [false]);
    const sending = Promise.all(Array.from({ length: 8 }, (_, n) => sender.send(transfer(stranger, BigInt(n + 1)))));
    await until(async () => (await pendingTransactions()).length === 8);
    await node.rpc("evm_mine");
    const receipts = (await sending).map(({ receipt }) => receipt);
    assert.deepEqual(
      receipts.map(({ transactionIndex }) => transactionIndex),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it("tells a transaction that was included and reverted, with its hash and reason", async () => {
    const sender = await freshSender();
    const gasBefore = sender.gasUsed;
    await node.rpc("evm_setAutomine", [false]);
    const first = sender.send(transfer(stranger, 60n));
    // Simulated before the first is included, so both look possible.
    const second = sender.send(transfer(stranger, 60n)).catch((error) => error);
    await until(async () => (await pendingTransactions()).length === 2);
    await node.rpc("evm_mine");
    const { gasUsed } = await first;
    const error = await second;
    assert.ok(error instanceof ContractRevertError, String(error));
    assert.equal(error.errorName, "ERC20InsufficientBalance");
    assert.equal((await node.chain.client.getTransactionReceipt({ hash: error.hash! })).status, "reverted");
    assert.ok(sender.gasUsed - gasBefore > gasUsed);
  });

  it("says that the account has no coins", async () => {
    const poor = new Sender(node.chain, privateKeyToAccount(generatePrivateKey()));
    const call = { address: token, abi, functionName: "faucet", args: [1n] } as const;
    await assert.rejects(poor.send(call), (error: NoFundsError) => {
      assert.ok(error instanceof NoFundsError, String(error));
      assert.equal(error.address, poor.address);
      assert.ok(error.needed > 0n);
      return true;
    });
  });

  it("does not send after the deadline, and sends in its last second", async () => {
    const sender = await freshSender();
    const now = await blockTime(node.chain);
    await assert.rejects(sender.send(transfer(stranger, 1n), { deadline: now - 1 }), (error: TransactionLateError) => {
      assert.ok(error instanceof TransactionLateError);
      assert.equal(error.hash, undefined);
      return true;
    });
    assert.equal((await sender.send(transfer(stranger, 1n), { deadline: now })).result, true);
  });

  it("takes a transaction back when its deadline passes", async () => {
    const sender = await freshSender();
    await node.rpc("evm_setAutomine", [false]);
    const deadline = (await blockTime(node.chain)) + 100;
    const sending = sender.send(transfer(stranger, 7n), { deadline }).catch((error) => error);
    const { hash } = await onlyPending();
    await node.rpc("evm_increaseTime", [200]);
    await setBaseFee("1000");
    await until(async () => (await pendingTransactions())[0]!.hash !== hash);
    const error = await mined(sending);
    assert.ok(error instanceof TransactionLateError, String(error));
    assert.equal(error.hash, hash);
    assert.equal(await balanceOf(sender.address), 100n);
    await node.rpc("evm_setAutomine", [true]);
    assert.equal((await sender.send(transfer(stranger, 7n))).result, true);
  });

  it("pays more for a transaction that stalls, and it happens once", async () => {
    const sender = await freshSender({ stallMs: 100 });
    await node.rpc("evm_setAutomine", [false]);
    const sending = sender.send(transfer(stranger, 7n));
    const { hash } = await onlyPending();
    await setBaseFee("1000");
    await until(async () => (await pendingTransactions())[0]!.hash !== hash);
    const sent = await mined(sending);
    assert.notEqual(sent.hash, hash);
    assert.equal(sent.receipt.status, "success");
    assert.equal(await balanceOf(sender.address), 93n);
  });

  it("never pays more than its limit", async () => {
    const sender = await freshSender({ stallMs: 60, maximumFeePerGas: parseGwei("100"), giveUpMs: 400 });
    await node.rpc("evm_setAutomine", [false]);
    const sending = sender.send(transfer(stranger, 7n)).catch((error) => error);
    await until(async () => (await pendingTransactions()).length === 1);
    await setBaseFee("1000");
    assert.ok((await sending) instanceof TransactionPendingError);
    for (const { hash } of await pendingTransactions()) {
      const { maxFeePerGas } = await node.chain.client.getTransaction({ hash });
      assert.ok(maxFeePerGas! <= parseGwei("100"));
    }
  });

  it("sends a dropped transaction again", async () => {
    const sender = await freshSender({ stallMs: 60 });
    await node.rpc("evm_setAutomine", [false]);
    const sending = sender.send(transfer(stranger, 7n));
    const { hash } = await onlyPending();
    await node.rpc("hardhat_dropTransaction", [hash]);
    await until(async () => (await pendingTransactions()).length === 1);
    await node.rpc("evm_mine");
    assert.equal((await sending).receipt.status, "success");
  });

  it("notices that another transaction took its place", async () => {
    const sender = await freshSender();
    await node.rpc("evm_setAutomine", [false]);
    const sending = sender.send(transfer(stranger, 7n)).catch((error) => error);
    const { nonce } = await onlyPending();
    const rival = await sender.account.signTransaction({
      type: "eip1559",
      chainId: 31337,
      nonce: Number(nonce),
      to: sender.address,
      gas: 21_000n,
      maxFeePerGas: parseGwei("5000"),
      maxPriorityFeePerGas: parseGwei("50"),
    });
    await node.rpc("eth_sendRawTransaction", [rival]);
    await node.rpc("evm_mine");
    assert.ok((await sending) instanceof NonceTakenError, String(await sending));
    await node.rpc("evm_setAutomine", [true]);
    assert.equal((await sender.send(transfer(stranger, 7n))).result, true);
  });

  it("waits for the confirmations that it was asked for", async () => {
    const sender = await freshSender();
    const careful = new Sender(node.chain, sender.account, { confirmations: 3 });
    let done = false;
    const sending = careful.send(transfer(stranger, 1n)).then((sent) => {
      done = true;
      return sent;
    });
    const nonce = await node.chain.client.getTransactionCount({ address: sender.address });
    await until(async () => (await node.chain.client.getTransactionCount({ address: sender.address })) > nonce);
    await node.rpc("evm_mine");
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(done, false);
    await node.rpc("evm_mine");
    assert.equal((await sending).result, true);
  });

  it("outlasts a node that fails for a while, and says when it cannot even begin", async () => {
    const sender = await freshSender();
    let failures = 0;
    node.meddle = ({ method }) => (method === "eth_getTransactionReceipt" && failures++ < 8 ? 503 : undefined);
    assert.equal((await sender.send(transfer(stranger, 1n))).result, true);
    assert.ok(failures >= 8);
    node.meddle = () => 503;
    await assert.rejects(sender.send(transfer(stranger, 1n)), ChainUnreachableError);
  });

  it("sees a transaction through whose broadcast was not answered", async () => {
    const sender = await freshSender();
    node.meddle = async ({ method }, pass) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      await pass();
      return 504;
    };
    assert.equal((await sender.send(transfer(stranger, 9n))).receipt.status, "success");
    assert.equal(await balanceOf(sender.address), 91n);
  });

  it("does not take another transaction's receipt for its own", async () => {
    const sender = await freshSender();
    const other = await sender.send(transfer(stranger, 1n));
    let lies = 0;
    node.meddle = async ({ method, id }) => {
      if (method !== "eth_getTransactionReceipt" || lies >= 3) return undefined;
      lies++;
      return { jsonrpc: "2.0", id, result: await node.rpc("eth_getTransactionReceipt", [other.hash]) };
    };
    const sent = await sender.send(transfer(stranger, 2n));
    assert.equal(lies, 3);
    assert.notEqual(sent.hash, other.hash);
  });

  it("goes on after a reorganisation freed its nonces", async () => {
    const sender = await freshSender();
    const snapshot = await node.rpc("evm_snapshot");
    await sender.send(transfer(stranger, 1n));
    await sender.send(transfer(stranger, 2n));
    await node.rpc("evm_revert", [snapshot]);
    assert.equal((await sender.send(transfer(stranger, 3n))).receipt.status, "success");
    assert.equal(await balanceOf(sender.address), 97n);
  });

  it("goes on when the node's count of its transactions is behind", async () => {
    const sender = await freshSender();
    let lies = 0;
    node.meddle = ({ method, params, id }) =>
      method === "eth_getTransactionCount" && params[1] === "pending" && lies++ === 0
        ? { jsonrpc: "2.0", id, result: "0x0" }
        : undefined;
    assert.equal((await sender.send(transfer(stranger, 3n))).receipt.status, "success");
    assert.equal(lies, 1);
  });

  describe("when the chain changes between simulation and inclusion", () => {
    /** Simulations succeed until the transaction is broadcast. */
    const optimistic =
      (broadcast: (id: number) => unknown): LocalNode["meddle"] =>
      ({ method, id }) => {
        if (method === "eth_estimateGas") return { jsonrpc: "2.0", id, result: "0x30d40" };
        if (method === "eth_call") return { jsonrpc: "2.0", id, result: `0x${"0".repeat(63)}1` };
        if (method !== "eth_sendRawTransaction") return undefined;
        node.meddle = undefined;
        return broadcast(id);
      };

    it("takes a node's complaint about a transaction that it included for what it is", async () => {
      const sender = await freshSender();
      node.meddle = optimistic(() => undefined);
      await assert.rejects(sender.send(transfer(stranger, 101n)), (error: ContractRevertError) => {
        assert.equal(error.errorName, "ERC20InsufficientBalance");
        assert.match(error.hash ?? "", /^0x/);
        return true;
      });
    });

    it("notices that the node did not take the transaction at all", async () => {
      const sender = await freshSender();
      const nonce = await node.chain.client.getTransactionCount({ address: sender.address });
      node.meddle = optimistic((id) => ({ jsonrpc: "2.0", id, error: { code: 3, message: "execution reverted" } }));
      await assert.rejects(sender.send(transfer(stranger, 1n)), (error: ContractRevertError) => {
        assert.ok(error instanceof ContractRevertError, String(error));
        assert.equal(error.hash, undefined);
        return true;
      });
      const { receipt } = await sender.send(transfer(stranger, 1n));
      assert.equal((await node.chain.client.getTransaction({ hash: receipt.transactionHash })).nonce, nonce);
    });

    it("says what else the node did not like", async () => {
      const sender = await freshSender();
      node.meddle = optimistic((id) => ({
        jsonrpc: "2.0",
        id,
        error: { code: -32000, message: "gas limit too high" },
      }));
      await assert.rejects(sender.send(transfer(stranger, 1n)), (error: ChainRefusedError) => {
        assert.ok(error instanceof ChainRefusedError, String(error));
        assert.match(error.message, /gas limit too high/);
        return true;
      });
    });
  });
});

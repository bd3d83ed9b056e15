/** A Hardhat node of the test's own, behind a proxy that can be told to misbehave. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { network } from "hardhat";
import { type Address, createWalletClient, getAddress, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { type Chain, connect } from "../../shared/chain/connect.ts";
import { contractArtifact } from "../../shared/chain/contracts.ts";

export interface JsonRpc {
  readonly id: number;
  readonly method: string;
  readonly params: unknown[];
}

/** Changes what the node answers: undefined passes the request on; a number is an HTTP status; else the answer's body. */
export type Meddle = (request: JsonRpc, pass: () => Promise<Record<string, unknown>>) => Promise<unknown> | unknown;

export interface LocalNode {
  readonly chain: Chain;
  readonly url: string;
  meddle: Meddle | undefined;
  rpc<T = unknown>(method: string, params?: unknown[]): Promise<T>;
  close(): Promise<void>;
}

export const testAccount = (index: number) => privateKeyToAccount(localAccount(index).key);

/** A token of the test's own, where anyone may mint. */
export async function deployLocalToken({ chain }: LocalNode): Promise<Address> {
  const wallet = createWalletClient({ account: testAccount(0), transport: http(chain.url) });
  const hash = await wallet.sendTransaction({ chain: null, data: contractArtifact("LocalToken").bytecode });
  return getAddress((await chain.client.waitForTransactionReceipt({ hash })).contractAddress!);
}

export async function startLocalNode(): Promise<LocalNode> {
  const hardhat = await network.createServer({ network: "default" }, "127.0.0.1", 0);
  const { address, port } = await hardhat.listen();
  const inner = `http://${address}:${port}`;
  const forward = async (body: string) =>
    (await fetch(inner, { method: "POST", headers: { "content-type": "application/json" }, body })).text();

  const meddling: { meddle: Meddle | undefined } = { meddle: undefined };
  const proxy = createServer(async (request, response) => {
    const body = await text(request);
    const { meddle } = meddling;
    const answer = meddle && (await meddle(JSON.parse(body), async () => JSON.parse(await forward(body))));
    if (typeof answer === "number") response.writeHead(answer).end();
    else response.end(answer === undefined ? await forward(body) : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return Object.assign(meddling, {
    url,
    chain: await connect({ url, pollingMs: 20 }),
    async rpc<T>(method: string, params: unknown[] = []): Promise<T> {
      const answer = JSON.parse(await forward(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })));
      if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
      return answer.result;
    },
    async close() {
      proxy.close();
      proxy.closeAllConnections();
      await hardhat.close();
    },
  });
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += piece;
  return body;
}

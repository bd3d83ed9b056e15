/**
 * Loaded before a test file (`node --import`): writes down what the test sends to its chain and what it gets back, for replay.ts.
 * The test's own assertions hold while it is recorded, or the recording is thrown away.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { writeFileSync } from "node:fs";
import { network } from "hardhat";
import type { Answer, Step } from "./replay.ts";

const target = process.env.TOUCHSTONE_RECORDING;
if (target === undefined) throw new Error("TOUCHSTONE_RECORDING names no file");

interface Request {
  readonly method: string;
  readonly params?: unknown;
}
type Provider = { request(request: Request): Promise<unknown> };

const steps: Step[] = [];
const connect = network.connect.bind(network);

network.connect = (async (...args: Parameters<typeof connect>) => {
  const connection = await connect(...args);
  const chain = steps.filter(({ kind }) => kind === "connect").length;
  steps.push({ kind: "connect", chain });
  wrap(connection.provider as unknown as Provider, chain);
  return connection;
}) as typeof network.connect;

function wrap(provider: Provider, chain: number): void {
  const request = provider.request.bind(provider);
  /** Names of snapshots by the chain's, which it uses again. */
  const snapshots = new Map<unknown, number>();
  let taken = 0;
  /** Requests are answered one at a time, so that the recording has an order. */
  let last: Promise<unknown> = Promise.resolve();
  const inside = new AsyncLocalStorage<boolean>();
  provider.request = ({ method, params }) => {
    // What a request asks on its own behalf cannot wait for it.
    if (inside.getStore()) return request(params === undefined ? { method } : { method, params });
    const answer = last.then(() => inside.run(true, () => handle(method, params as unknown[])));
    last = answer.catch(() => undefined);
    return answer;
  };

  const timestamp = async (): Promise<string> => {
    const block = await request({ method: "eth_getBlockByNumber", params: ["latest", false] });
    return (block as { timestamp: string }).timestamp;
  };

  const handle = async (method: string, params: unknown[]): Promise<unknown> => {
    if (method === "eth_sendTransaction") {
      const transaction = params[0] as Record<string, string>;
      try {
        const hash = await request({ method, params });
        const receipt = (await request({ method: "eth_getTransactionReceipt", params: [hash] })) as Receipt | null;
        steps.push({ kind: "send", chain, transaction, timestamp: await timestamp(), answer: answerOf(receipt) });
        return hash;
      } catch (error) {
        steps.push({ kind: "send", chain, transaction, timestamp: await timestamp(), answer: failureOf(error) });
        throw error;
      }
    }
    if (method === "eth_call") {
      const transaction = params[0] as Record<string, string>;
      try {
        const result = (await request({ method, params })) as string;
        steps.push({ kind: "call", chain, transaction, answer: { result } });
        return result;
      } catch (error) {
        steps.push({ kind: "call", chain, transaction, answer: failureOf(error) });
        throw error;
      }
    }
    const result = await request(params === undefined ? { method } : { method, params });
    if (method === "evm_snapshot") {
      const name = taken++;
      snapshots.set(result, name);
      steps.push({ kind: "snapshot", chain, name });
    } else if (method === "evm_revert") {
      steps.push({ kind: "revert", chain, name: snapshots.get(params[0])! });
    } else if (method === "hardhat_mine" || method === "evm_mine") {
      const blocks = method === "evm_mine" ? "0x1" : ((params[0] as string | undefined) ?? "0x1");
      steps.push({ kind: "mine", chain, blocks, timestamp: await timestamp() });
    } else if (/^hardhat_(set|impersonate|drop)/.test(method)) {
      steps.push({ kind: "other", chain, method, params });
    }
    return result;
  };
}

interface Receipt {
  readonly status: string;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

function answerOf(receipt: Receipt | null): Answer {
  if (receipt === null) return { pending: true };
  return {
    status: receipt.status,
    logs: receipt.logs.map(({ address, topics, data }) => [address, ...topics, data].join(" ")),
  };
}

function failureOf(error: unknown): Answer {
  const data = (error as { data?: unknown }).data;
  const bytes = typeof data === "string" ? data : (data as { data?: string } | undefined)?.data;
  return { failure: bytes ?? "0x" };
}

process.on("exit", (code) => {
  if (code === 0) writeFileSync(target, JSON.stringify(steps));
});

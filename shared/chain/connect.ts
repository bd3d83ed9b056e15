/** A connection to one JSON-RPC chain, checked before it is used. */
import { type Address, createPublicClient, defineChain, getAddress, http, isAddress, type PublicClient } from "viem";
import { ChainUnreachableError, NoContractError, NoFundsError, WrongChainError } from "./errors.ts";
import { chainError } from "./revert.ts";

export interface Chain {
  readonly url: string;
  readonly chainId: number;
  readonly client: PublicClient;
  /** Pause between two looks at the chain, in milliseconds. */
  readonly pollingMs: number;
}

export interface ConnectOptions {
  readonly url: string;
  /** Refuse any other chain. */
  readonly chainId?: number;
  /** 100 on this machine, 2000 elsewhere by default. */
  readonly pollingMs?: number;
  /** Longest wait for one answer, in milliseconds; 10 000 by default. */
  readonly timeoutMs?: number;
}

/** @throws ChainUnreachableError, WrongChainError. */
export async function connect(options: ConnectOptions): Promise<Chain> {
  const { url } = options;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ChainUnreachableError(url, "this is not an http: or https: URL");
  }
  const transport = http(url, { timeout: options.timeoutMs ?? 10_000, retryCount: 2 });
  let chainId: number;
  try {
    chainId = await createPublicClient({ transport }).getChainId();
  } catch (error) {
    throw chainError(error, "asking for the chain's number failed", url);
  }
  if (options.chainId !== undefined && options.chainId !== chainId) {
    throw new WrongChainError(url, options.chainId, chainId);
  }
  const local = /^(localhost|127\.|\[?::1)/.test(new URL(url).hostname);
  const pollingMs = options.pollingMs ?? (local ? 100 : 2000);
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: "coin", symbol: "coin", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  // cacheTime 0: a cached block number is a stale clock.
  const client = createPublicClient({ chain, transport, pollingInterval: pollingMs, cacheTime: 0 });
  return { url, chainId, client, pollingMs };
}

/**
 * The checksummed address.
 * @throws NoContractError when there is no code at the address, or it is none.
 */
export async function requireContract(chain: Chain, address: string, what: string): Promise<Address> {
  if (!isAddress(address, { strict: false })) throw new NoContractError(address as Address, chain.chainId, what);
  let code: string | undefined;
  try {
    code = await chain.client.getCode({ address });
  } catch (error) {
    throw chainError(error, `reading the ${what} failed`, chain.url);
  }
  if (code === undefined || code === "0x") throw new NoContractError(address, chain.chainId, what);
  return getAddress(address);
}

/** @throws NoFundsError when the address has less than `needed` wei of the chain's coin. */
export async function requireFunds(chain: Chain, address: Address, needed: bigint): Promise<bigint> {
  let balance: bigint;
  try {
    balance = await chain.client.getBalance({ address });
  } catch (error) {
    throw chainError(error, "reading the balance failed", chain.url);
  }
  if (balance < needed) throw new NoFundsError(address, balance, needed);
  return balance;
}

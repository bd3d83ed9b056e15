/** `eth_getLogs` over any range: in pieces that the node accepts. */
import { type Address, HttpRequestError, type PublicClient, RpcRequestError } from "viem";
import type { MinedLog } from "./logWindow.ts";

const PIECES_BEFORE_GROWTH = 32;

export class LogReader {
  readonly maximumRange: bigint;
  readonly #client: PublicClient;
  readonly #addresses: Address[];
  /** Blocks in the next request. */
  #range: bigint;
  #accepted = 0;

  constructor(client: PublicClient, addresses: readonly Address[], maximumRange: number) {
    this.#client = client;
    this.#addresses = [...addresses];
    this.maximumRange = BigInt(maximumRange);
    this.#range = this.maximumRange;
  }

  /** All logs of the addresses from block `from` to block `to`. @throws what the client throws. */
  async read(from: bigint, to: bigint): Promise<MinedLog[]> {
    const logs: MinedLog[] = [];
    for (let start = from; start <= to; ) {
      const end = start + this.#range - 1n < to ? start + this.#range - 1n : to;
      try {
        const found = await this.#client.getLogs({ address: this.#addresses, fromBlock: start, toBlock: end });
        for (const log of found) logs.push(log as MinedLog);
      } catch (error) {
        // Nodes refuse ranges with too many blocks or logs, each in its own words.
        if (!isRefusal(error) || end === start) throw error;
        this.#range = (end - start + 1n) / 2n;
        this.#accepted = 0;
        continue;
      }
      start = end + 1n;
      if (++this.#accepted % PIECES_BEFORE_GROWTH === 0) {
        this.#range = this.#range * 2n < this.maximumRange ? this.#range * 2n : this.maximumRange;
      }
    }
    return logs;
  }
}

function isRefusal(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RpcRequestError) return true;
    if (cause instanceof HttpRequestError) return cause.status === 400 || cause.status === 413;
  }
  return false;
}

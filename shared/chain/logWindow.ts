/**
 * The latest blocks' logs, looked at again and again: what is new is told once, what has disappeared is told too. So neither
 * a reorganisation nor a node that was behind makes a follower miss an event.
 */
import type { Log } from "viem";

export type MinedLog = Log<bigint, number, false>;

/** Changes between two looks. */
export interface Changes {
  /** Told before and gone, latest first. */
  readonly removed: readonly MinedLog[];
  /** Not told before, in the chain's order. */
  readonly added: readonly MinedLog[];
}

const keyOf = (log: MinedLog) => `${log.blockHash}:${log.logIndex}`;

function inOrder(a: MinedLog, b: MinedLog): number {
  return a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : a.blockNumber < b.blockNumber ? -1 : 1;
}

export class LogWindow {
  readonly #told = new Map<string, MinedLog>();

  /** @param logs all logs from block `from` up to the latest block. */
  compare(logs: readonly MinedLog[], from: bigint): Changes {
    const present = new Set(logs.map(keyOf));
    const removed: MinedLog[] = [];
    for (const [key, log] of this.#told) {
      if (log.blockNumber >= from && !present.has(key)) {
        removed.push(log);
        this.#told.delete(key);
      }
    }
    const added = logs.filter((log) => !this.#told.has(keyOf(log)));
    for (const log of added) this.#told.set(keyOf(log), log);
    return { removed: removed.sort(inOrder).reverse(), added: [...added].sort(inOrder) };
  }

  /** Logs before `block` can no longer change. */
  forget(block: bigint): void {
    for (const [key, log] of this.#told) if (log.blockNumber < block) this.#told.delete(key);
  }
}

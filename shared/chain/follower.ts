/**
 * Follows a chain's events by `eth_getLogs` with a stored position: in the chain's order, nothing missed, resumable. An event may come
 * again after an interruption, and comes with `removed` when a reorganisation took it back, so whoever handles events
 * reads the contract before it acts.
 */
import {
  type Abi,
  type Address,
  BlockNotFoundError,
  type ContractEventName,
  type ParseEventLogsReturnType,
  parseEventLogs,
} from "viem";
import type { Chain } from "./connect.ts";
import { type Cursor, readCursor, writeCursor } from "./cursor.ts";
import { ReorganisedError } from "./errors.ts";
import { LogReader } from "./logReader.ts";
import { type Changes, LogWindow } from "./logWindow.ts";
import { pause } from "./pause.ts";
import { chainError, isUnreachable } from "./revert.ts";

export interface FollowOptions<abi extends Abi> {
  readonly chain: Chain;
  /** Contracts whose events are wanted. */
  readonly addresses: readonly Address[];
  /** Decodes the events; other events are left out. */
  readonly abi: abi;
  /** Where to begin when there is no cursor; 0 by default. */
  readonly fromBlock?: bigint;
  /** Where the position is stored; without it, the follower begins anew each time. */
  readonly cursorFile?: string;
  /** Blocks that a reorganisation may replace; 64 by default. */
  readonly reorgDepth?: number;
  /** Blocks that one request asks for at most; 2000 by default, halved while the node refuses. */
  readonly maximumRange?: number;
  /** Milliseconds of silence of the node after which to give up; 300 000 by default. */
  readonly giveUpMs?: number;
  /** Ends the following. */
  readonly signal?: AbortSignal;
}

/** A decoded event, told apart by `eventName`; `removed` when a reorganisation took it back. */
export type FollowedEvent<abi extends Abi> = ParseEventLogsReturnType<abi, ContractEventName<abi>, true>[number];

/** Looks at a shorter chain before it is believed. */
const BEHIND_LOOKS = 10;

/**
 * Events, past and to come, until the signal ends it.
 * @throws CursorError, ReorganisedError when more than `reorgDepth` blocks were replaced, ChainUnreachableError.
 */
export async function* followEvents<const abi extends Abi>(
  options: FollowOptions<abi>,
): AsyncGenerator<FollowedEvent<abi>, void, undefined> {
  const { chain, abi, cursorFile, signal } = options;
  const stored = cursorFile === undefined ? undefined : await readCursor(cursorFile, chain.chainId);
  const follower = new Follower(options, stored ?? emptyCursor(options));
  while (!signal?.aborted) {
    const changes = await follower.look();
    if (changes === undefined) {
      await pause(chain.pollingMs, signal).catch(() => undefined);
      continue;
    }
    for (const event of decode(abi, changes)) {
      yield event;
      if (signal?.aborted) return;
    }
    // Only now has the caller handled the last of them.
    follower.advance();
    if (cursorFile !== undefined) await writeCursor(cursorFile, follower.cursor);
  }
}

function emptyCursor({ chain, fromBlock = 0n }: FollowOptions<Abi>): Cursor {
  return { chainId: chain.chainId, nextBlock: fromBlock, anchor: null };
}

function decode<abi extends Abi>(abi: abi, { removed, added }: Changes): FollowedEvent<abi>[] {
  const logs = [...removed.map((log) => ({ ...log, removed: true })), ...added];
  return parseEventLogs({ abi: abi as Abi, logs, strict: true }) as unknown as FollowedEvent<abi>[];
}

class Follower {
  cursor: Cursor;
  readonly #options: FollowOptions<Abi>;
  readonly #reader: LogReader;
  readonly #window = new LogWindow();
  readonly #depth: bigint;
  /** The chain's latest block when it was last looked at, and the last block whose logs were read then. */
  #head: { readonly number: bigint; readonly hash: string } | undefined;
  #lookedTo = -1n;
  /** The cursor once what was told last has been handled. */
  #coming: Cursor;
  #shorter = 0;
  #failingSince: number | undefined;

  constructor(options: FollowOptions<Abi>, cursor: Cursor) {
    this.#options = options;
    this.cursor = cursor;
    this.#coming = cursor;
    this.#reader = new LogReader(options.chain.client, options.addresses, options.maximumRange ?? 2000);
    this.#depth = BigInt(options.reorgDepth ?? 64);
  }

  /** What changed; undefined when nothing did, or the node cannot be asked: look again after a pause. */
  async look(): Promise<Changes | undefined> {
    try {
      const changes = await this.#changes();
      this.#failingSince = undefined;
      return changes;
    } catch (error) {
      this.#failingSince ??= Date.now();
      const waited = Date.now() - this.#failingSince;
      if (isUnreachable(error) && waited < (this.#options.giveUpMs ?? 300_000)) return undefined;
      throw chainError(error, "reading events failed", this.#options.chain.url);
    }
  }

  /** Everything told so far has been handled: moves the cursor up to the blocks that may still be replaced. */
  advance(): void {
    this.cursor = this.#coming;
    this.#window.forget(this.cursor.nextBlock);
  }

  async #changes(): Promise<Changes | undefined> {
    const head = await this.#options.chain.client.getBlock({ blockTag: "latest" });
    if (this.#head?.hash === head.hash && this.#lookedTo >= head.number) return undefined;
    if (this.#isBehind(head.number)) return undefined;
    const from = this.cursor.nextBlock;
    const furthest = from + this.#depth + this.#reader.maximumRange - 1n;
    const to = head.number < furthest ? head.number : furthest;
    // INVARIANT: the next anchor is read before the last one is checked, and before the logs: a chain that is replaced in between
    // shows in one of the two anchors.
    const coming = await this.#cursorAfter(head.number, to);
    if (!(await this.#isOnChain(this.cursor))) throw new ReorganisedError(this.cursor.anchor!.number);
    const logs = to < from ? [] : await this.#reader.read(from, to);
    const changes = this.#window.compare(logs, from);
    this.#coming = coming;
    this.#head = { number: head.number, hash: head.hash };
    this.#lookedTo = to;
    return changes;
  }

  /** The cursor once everything up to block `to` has been handled. */
  async #cursorAfter(head: bigint, to: bigint): Promise<Cursor> {
    const settled = head - this.#depth + 1n;
    const nextBlock = settled < to + 1n ? settled : to + 1n;
    if (nextBlock <= this.cursor.nextBlock) return this.cursor;
    const number = nextBlock - 1n;
    const { hash } = await this.#options.chain.client.getBlock({ blockNumber: number });
    return { ...this.cursor, nextBlock, anchor: { number, hash } };
  }

  async #isOnChain({ anchor }: Cursor): Promise<boolean> {
    if (anchor === null) return true;
    const block = await this.#options.chain.client.getBlock({ blockNumber: anchor.number }).catch((error) => {
      if (error instanceof BlockNotFoundError) return undefined;
      throw error;
    });
    return block?.hash === anchor.hash;
  }

  /** A shorter chain than before is first taken for a node that is behind. */
  #isBehind(head: bigint): boolean {
    this.#shorter = this.#head !== undefined && head < this.#head.number ? this.#shorter + 1 : 0;
    return this.#shorter > 0 && this.#shorter <= BEHIND_LOOKS;
  }
}

/** Keeps a market's book up to date and wakes whoever waits for a change. */
import type { Hex } from "viem";
import { blockTime } from "../chain/clock.ts";
import { followProtocol } from "../chain/followProtocol.ts";
import type { ServiceContext } from "./context.ts";
import { type BookedTask, MarketBook } from "./marketBook.ts";

/** Without a log, time alone can make something due. */
const LOOK_MILLISECONDS = 1000;

export type WatchContext = Pick<ServiceContext, "chain" | "deployment" | "signal">;

export class MarketWatch {
  readonly book: MarketBook;
  readonly #context: WatchContext;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #failure: { readonly error: unknown } | null = null;
  #version = 0;
  #wake: (() => void) | null = null;

  /** @param fromBlock no later than the first event of interest. */
  constructor(context: WatchContext, fromBlock = 0n) {
    this.#context = context;
    this.book = new MarketBook(context.deployment.market);
    this.#following = this.#follow(fromBlock).catch((error: unknown) => {
      this.#failure = { error };
      this.#changed();
    });
  }

  /** Grows with every change of the book. */
  get version(): number {
    return this.#version;
  }

  /**
   * Waits for a change since `version`, but no longer than until time may have made something due.
   * @throws what ended the following, or the signal's reason.
   */
  async next(version: number): Promise<void> {
    this.#context.signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#version !== version) return;
    const { signal } = this.#context;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, Math.min(LOOK_MILLISECONDS, this.#context.chain.pollingMs * 5));
      signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
    signal.throwIfAborted();
    if (this.#failure !== null) throw (this.#failure as { readonly error: unknown }).error;
  }

  /** Waits until the book satisfies a condition. @throws as `next`. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.next(this.#version);
  }

  /** Waits until the log has a task: a reorganisation takes it back before it is told again. @throws as `next`. */
  async task(taskId: Hex): Promise<BookedTask> {
    for (;;) {
      const { version } = this;
      const booked = this.book.tasks.get(taskId);
      if (booked !== undefined) return booked;
      await this.next(version);
    }
  }

  /** Seconds of block time. */
  now(): Promise<number> {
    return blockTime(this.#context.chain);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(fromBlock: bigint): Promise<void> {
    const { chain, deployment } = this.#context;
    for await (const event of followProtocol(chain, deployment, { fromBlock, signal: this.#stop.signal })) {
      this.book.apply(event);
      this.#changed();
    }
  }

  #changed(): void {
    this.#version++;
    this.#wake?.();
  }
}

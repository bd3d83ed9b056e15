/** The protocol's only clock: the time of the latest block. Windows and chess clocks are judged by it, never by the wall. */
import type { Chain } from "./connect.ts";
import { pause } from "./pause.ts";
import { chainError } from "./revert.ts";

/**
 * Seconds since 1970 by the latest block.
 * @throws ChainUnreachableError.
 */
export async function blockTime(chain: Chain): Promise<number> {
  try {
    return Number((await chain.client.getBlock({ blockTag: "latest" })).timestamp);
  } catch (error) {
    throw chainError(error, "reading the latest block failed", chain.url);
  }
}

/**
 * Waits for a block at `time` or later and returns its time.
 * @param signal ends the wait with its reason.
 * @throws ChainUnreachableError, or the signal's reason.
 */
export async function waitForBlockTime(chain: Chain, time: number, signal?: AbortSignal): Promise<number> {
  for (;;) {
    const now = await blockTime(chain);
    if (now >= time) return now;
    await pause(chain.pollingMs, signal);
  }
}

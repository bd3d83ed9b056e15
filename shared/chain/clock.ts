/** The protocol's only clock: the time of the latest block. Windows and chess clocks are judged by it, never by the wall. */
import type { Chain } from "./connect.ts";
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

/** Amounts of a market's token as people write them. Programs write them in its smallest unit. */
import { type Address, erc20Abi, formatUnits } from "viem";
import type { Chain } from "./connect.ts";

export interface TokenUnit {
  readonly decimals: number;
  readonly symbol: string;
}

/** A token need not tell either (ERC-20): then amounts are in its smallest unit. */
const UNKNOWN: TokenUnit = { decimals: 0, symbol: "of the token's smallest unit" };
const PLAIN_SYMBOL = /^[\w.+-]{1,16}$/;

export async function readTokenUnit({ client }: Chain, address: Address): Promise<TokenUnit> {
  const token = { address, abi: erc20Abi } as const;
  try {
    const [decimals, symbol] = await Promise.all([
      client.readContract({ ...token, functionName: "decimals" }),
      client.readContract({ ...token, functionName: "symbol" }),
    ]);
    // Whoever made the token wrote it, and it goes to a terminal.
    return { decimals, symbol: PLAIN_SYMBOL.test(symbol) ? symbol : "tokens" };
  } catch {
    return UNKNOWN;
  }
}

/** `12.5 TST`. */
export function formatAmount(amount: bigint, { decimals, symbol }: TokenUnit): string {
  return `${formatUnits(amount, decimals)} ${symbol}`;
}

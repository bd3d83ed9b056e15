/** What to pay for gas (EIP-1559), and how much more when a transaction is not taken. */
import type { Chain } from "./connect.ts";

export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Fees that stay valid while the base fee doubles. @param cap highest maxFeePerGas. */
export async function currentFees(chain: Chain, cap?: bigint): Promise<Fees> {
  const [block, priority] = await Promise.all([
    chain.client.getBlock({ blockTag: "latest" }),
    chain.client.estimateMaxPriorityFeePerGas(),
  ]);
  return capped({ maxFeePerGas: 2n * (block.baseFeePerGas ?? 0n) + priority, maxPriorityFeePerGas: priority }, cap);
}

/** The least that replaces a transaction with these fees (nodes ask for a tenth more), and not less than today's. */
export function raisedFees(fees: Fees, today: Fees, cap?: bigint): Fees {
  const raise = (old: bigint, now: bigint) => {
    const raised = old + old / 4n + 1n;
    return raised > now ? raised : now;
  };
  return capped(
    {
      maxFeePerGas: raise(fees.maxFeePerGas, today.maxFeePerGas),
      maxPriorityFeePerGas: raise(fees.maxPriorityFeePerGas, today.maxPriorityFeePerGas),
    },
    cap,
  );
}

function capped(fees: Fees, cap: bigint | undefined): Fees {
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const maxFeePerGas = cap === undefined ? fees.maxFeePerGas : least(fees.maxFeePerGas, cap);
  return { maxFeePerGas, maxPriorityFeePerGas: least(fees.maxPriorityFeePerGas, maxFeePerGas) };
}

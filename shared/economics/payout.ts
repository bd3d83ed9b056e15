/** Who gets what of a forfeited amount (docs/protocol.md, section 7). Twin of `contracts/libraries/Payout.sol`. */

/** Where burned shares are credited. */
export const BURNED = "0x000000000000000000000000000000000000dEaD";

export interface ConvictionShares {
  readonly challenger: bigint;
  readonly requester: bigint;
  readonly burned: bigint;
}

/** A convicted defendant's stake: a quarter to the challenger, a quarter to the requester, the rest burned. */
export function conviction(stake: bigint): ConvictionShares {
  const challenger = stake / 4n;
  const requester = stake / 4n;
  return { challenger, requester, burned: stake - challenger - requester };
}

/** A losing challenger's bond: half to the defendant, for its gas, the rest burned. */
export function upheld(bond: bigint): { readonly defendant: bigint; readonly burned: bigint } {
  const defendant = bond / 2n;
  return { defendant, burned: bond - defendant };
}

/** The bond of a solver that stopped: a quarter burned, the rest back. */
export function expiry(bond: bigint): { readonly burned: bigint; readonly solver: bigint } {
  const burned = bond / 4n;
  return { burned, solver: bond - burned };
}

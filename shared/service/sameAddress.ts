import type { Address } from "viem";

/** Addresses come checksummed from logs and in any case from people. */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

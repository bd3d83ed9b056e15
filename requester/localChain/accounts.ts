/** The funded accounts that every Hardhat and anvil chain starts with. Their keys are public: for local chains only. */
import type { Address, Hex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { toHex } from "viem/utils";

const PUBLIC_TEST_MNEMONIC = "test test test test test test test test test test test junk";

export interface LocalAccount {
  readonly address: Address;
  readonly key: Hex;
}

export function localAccount(index: number): LocalAccount {
  const account = mnemonicToAccount(PUBLIC_TEST_MNEMONIC, { addressIndex: index });
  return { address: account.address, key: toHex(account.getHdKey().privateKey!) };
}

/** The contracts on a fresh simulated chain, with accounts that have tokens. */
import { network } from "hardhat";
import { parseEther } from "viem";

export const connection = await network.connect();
export const { viem, networkHelpers } = connection;
export const { time, mine } = networkHelpers;

export const SEAT_STAKE = parseEther("64");
/** Below the protocol's cap of 2^24 a transaction; fixed, so that nothing is estimated. */
export const GAS = 16_000_000n;

const [requester, solver, challenger, stranger, verifier, ...verifiers] = await viem.getWalletClients();
export const wallets = {
  requester: requester!,
  solver: solver!,
  challenger: challenger!,
  stranger: stranger!,
  verifier: verifier!,
  verifiers: verifiers.slice(0, 4),
};
export type Wallet = typeof wallets.requester;
export const publicClient = await viem.getPublicClient();

/** Options of a write by `wallet`. */
export function by(wallet: Wallet): { account: `0x${string}`; gas: bigint } {
  return { account: wallet.account.address, gas: GAS };
}

export async function deployArena() {
  const token = await viem.deployContract("LocalToken");
  const referee = await viem.deployContract("Referee");
  const game = await viem.deployContract("DisputeGame", [referee.address]);
  const market = await viem.deployContract("TrainingMarket", [token.address, game.address, SEAT_STAKE]);
  for (const wallet of [requester!, solver!, challenger!, stranger!, verifier!, ...wallets.verifiers]) {
    await token.write.faucet([parseEther("1000000")], by(wallet));
    await token.write.approve([market.address, 2n ** 256n - 1n], by(wallet));
  }
  return { token, referee, game, market };
}

export type Arena = Awaited<ReturnType<typeof deployArena>>;

/** Block time of the latest block. */
export async function now(): Promise<number> {
  return Number((await publicClient.getBlock()).timestamp);
}

/** The next transaction is mined with this block time. */
export async function atNextBlock(timestamp: number): Promise<void> {
  await time.setNextBlockTimestamp(timestamp);
}

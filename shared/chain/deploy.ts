/** Puts the protocol on a chain: a referee, a game and a market. No owner, no settings besides token and seat stake. */
import type { Address } from "viem";
import { contractArtifact } from "./contracts.ts";
import type { Deployment } from "./deployments.ts";
import type { Sender } from "./sender.ts";

export interface DeployOptions {
  /** ERC-20 that the market's amounts are in. */
  readonly token: Address;
  /** Stake behind one verifier seat, in the token's smallest unit. */
  readonly seatStake: bigint;
}

/** @throws as `Sender.deploy`. */
export async function deployProtocol(sender: Sender, { token, seatStake }: DeployOptions): Promise<Deployment> {
  const referee = await sender.deploy(contractArtifact("Referee"), [], "deployment of Referee");
  const game = await sender.deploy(contractArtifact("DisputeGame"), [referee.address], "deployment of DisputeGame");
  const market = await sender.deploy(
    contractArtifact("TrainingMarket"),
    [token, game.address, seatStake],
    "deployment of TrainingMarket",
  );
  return { market: market.address, game: game.address, referee: referee.address, token };
}

/** A token for local chains, where anyone may mint. */
export async function deployLocalToken(sender: Sender): Promise<Address> {
  return (await sender.deploy(contractArtifact("LocalToken"), [], "deployment of LocalToken")).address;
}

/** Deploys the contracts and a token that anyone may mint, with the Ignition module for local chains. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { config, network } from "hardhat";
import type { Hex } from "viem";
import touchstoneLocal from "../../ignition/modules/TouchstoneLocal.ts";
import type { Deployment } from "../../shared/chain/deployments.ts";

/**
 * @param url JSON-RPC address of the chain.
 * @param key Private key that pays for the deployment; it has no rights afterwards.
 */
export async function deployLocally(url: string, key: Hex): Promise<Deployment> {
  const connection = await network.create({ network: "remote", override: { url, accounts: [key] } });
  // Ignition journals a deployment under its id to resume it; a fresh chain has nothing to resume.
  const deploymentId = `local-${process.pid}-${Date.now()}`;
  try {
    const { market, game, referee, token } = await connection.ignition.deploy(touchstoneLocal, {
      deploymentId,
      config: { requiredConfirmations: 1, blockPollingInterval: 100 },
    });
    return { market: market.address, game: game.address, referee: referee.address, token: token.address };
  } finally {
    await rm(path.join(config.paths.ignition, "deployments", deploymentId), { recursive: true, force: true });
    await connection.close();
  }
}

/**
 * Deploys the referee, the dispute game and a market over an ERC-20 that exists (docs/cli.md, "Deploying"). The token must be a plain
 * one: no fee on transfers, no rebasing.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { protocol } from "../protocol.ts";

export default buildModule("Touchstone", (module) => {
  const token = module.getParameter<string>("token");
  /** One seat of verifier stake, in the token's smallest unit. */
  const seatStake = module.getParameter<bigint>("seatStake");
  return protocol(module, token, seatStake);
});

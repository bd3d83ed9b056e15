/**
 * Deploys the referee, the dispute game and a market over an ERC-20 that exists:
 * `hardhat ignition deploy ignition/modules/Touchstone.ts --parameters parameters.json`. The token must be a plain one: no fee on
 * transfers, no rebasing.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("Touchstone", (module) => {
  const token = module.getParameter<string>("token");
  /** One seat of verifier stake, in the token's units. */
  const seatStake = module.getParameter<bigint>("seatStake");
  const referee = module.contract("Referee");
  const game = module.contract("DisputeGame", [referee]);
  const market = module.contract("TrainingMarket", [token, game, seatStake]);
  return { referee, game, market };
});

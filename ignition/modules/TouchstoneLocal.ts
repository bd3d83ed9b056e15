/** For local chains: the referee, the dispute game, and a market over a token that anyone may mint. */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** One seat of verifier stake: 64 tokens of 18 decimals, so that a verifier's fee may be one token. */
const SEAT_STAKE = 64n * 10n ** 18n;

export default buildModule("TouchstoneLocal", (module) => {
  const seatStake = module.getParameter("seatStake", SEAT_STAKE);
  const referee = module.contract("Referee");
  const game = module.contract("DisputeGame", [referee]);
  const token = module.contract("LocalToken");
  const market = module.contract("TrainingMarket", [token, game, seatStake]);
  return { referee, game, token, market };
});

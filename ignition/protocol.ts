/** What every deployment consists of. No owner, no settings besides token and seat stake. */
import type { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

type Module = Parameters<Parameters<typeof buildModule>[1]>[0];
/** A constructor's argument: a contract, a parameter or a value. */
type Argument = NonNullable<Parameters<Module["contract"]>[2]>[number];

/**
 * @param token ERC-20 that the market's amounts are in.
 * @param seatStake stake behind one verifier seat, in the token's smallest unit.
 */
export function protocol(module: Module, token: Argument, seatStake: Argument) {
  const referee = module.contract("Referee");
  const game = module.contract("DisputeGame", [referee]);
  const market = module.contract("TrainingMarket", [token, game, seatStake]);
  return { referee, game, market };
}

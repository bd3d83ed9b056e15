/** For local chains: the protocol, with a market over a token that anyone may mint. */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { protocol } from "../protocol.ts";

/** One seat of verifier stake: 64 tokens of 18 decimals, so that a verifier's fee may be one token. */
const SEAT_STAKE = 64n * 10n ** 18n;

export default buildModule("TouchstoneLocal", (module) => {
  const token = module.contract("LocalToken");
  return { token, ...protocol(module, token, module.getParameter("seatStake", SEAT_STAKE)) };
});

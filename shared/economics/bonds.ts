/** What must be staked so that honesty pays. Amounts are in the token's smallest unit. */
import { EconomicsRangeError } from "./detection.ts";
import { conviction } from "./payout.ts";

/** Probabilities are taken as multiples of 1e-9, rounded against the one who would cheat. */
const SCALE = 10n ** 9n;

/**
 * The least even bond with which cheating does not pay: p · bond / 2 ≥ (1 − p) · gain. Only the burned half counts as lost, since
 * challenger and requester may be the cheat's friends.
 * @param gain what the cheat has when it is not convicted: the price it did not work for, or what a wrong model is worth to it.
 * @param probability p, of being convicted; Infinity cannot be staked, so it must be above 0.
 * @throws EconomicsRangeError.
 */
export function minimalBond(gain: bigint, probability: number): bigint {
  if (!(probability > 0 && probability <= 1)) {
    throw new EconomicsRangeError("probability", probability, "above 0 and at most 1");
  }
  const caught = BigInt(Math.floor(probability * Number(SCALE)));
  if (caught === 0n) throw new EconomicsRangeError("probability", probability, "at least 1e-9");
  return 2n * ceilDivide((SCALE - caught) * gain, caught);
}

/** The bond that the market accepts: at least twice the price (`TaskRules.sol`), and enough that cheating does not pay. */
export function solverBond(price: bigint, gain: bigint, probability: number): bigint {
  const deterrent = minimalBond(gain, probability);
  return deterrent > 2n * price ? deterrent : 2n * price;
}

/** What a challenger stakes when `openDisputes` about the defendant are open. */
export function challengeBond(challengerBond: bigint, openDisputes: number): bigint {
  return challengerBond * (BigInt(openDisputes) + 1n);
}

/** What a challenger that wins keeps after its costs; negative when being the one honest replayer does not pay. */
export function challengerProfit(stake: bigint, costs: bigint): bigint {
  return conviction(stake).challenger - costs;
}

/** What a requester pays into escrow: the price, and a fee for every attestation that may be drawn. */
export function escrow(price: bigint, verifierFee: bigint, draws: number, segments: number): bigint {
  return price + verifierFee * BigInt(draws) * BigInt(segments);
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

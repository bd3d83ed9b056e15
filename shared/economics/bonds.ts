/** What must be staked so that honesty pays. Amounts are in the token's smallest unit. */
import { EconomicsRangeError } from "./detection.ts";

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

/** What a requester pays into escrow: the price, and a fee for every attestation that may be drawn. */
export function escrow(price: bigint, verifierFee: bigint, draws: number, segments: number): bigint {
  return price + verifierFee * BigInt(draws) * BigInt(segments);
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

/**
 * How likely sampling catches a cheat. Sampling is the incentive, not the security: one honest replayer of a whole run finds every
 * fault, whatever was drawn.
 */
import { TouchstoneError } from "../errors.ts";

export class EconomicsRangeError extends TouchstoneError {
  readonly code = "ECONOMICS_RANGE";
  constructor(name: string, value: number, range: string) {
    super(`${name} is ${value}, it must be ${range}.`);
  }
}

function requireShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new EconomicsRangeError(name, value, "between 0 and 1");
}

function requireCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) throw new EconomicsRangeError(name, value, "a whole number, at least 0");
}

/**
 * P(caught) = 1 − (1 − f)^q.
 * @param badShare f, the fraction of segments that are wrong.
 * @param samples q, the segments that honest verifiers replay, each drawn independently.
 * @throws EconomicsRangeError.
 */
export function probabilityCaught(badShare: number, samples: number): number {
  requireShare("badShare", badShare);
  requireCount("samples", samples);
  // Not 1 − (1 − f)^q as written: that loses every digit of a small f.
  return samples === 0 ? 0 : -Math.expm1(samples * Math.log1p(-badShare));
}

/**
 * The probability that an honest verifier replays one given segment: it is sampled, and of its draws at least one is honest.
 * @param sampleRate as in the task, of 65536.
 * @param draws seats drawn for a sampled segment.
 * @param honestShare fraction of the active seats that honest verifiers hold.
 * @throws EconomicsRangeError.
 */
export function probabilityReplayed(sampleRate: number, draws: number, honestShare: number): number {
  requireShare("sampleRate / 65536", sampleRate / 65536);
  return (sampleRate / 65536) * probabilityCaught(honestShare, draws);
}

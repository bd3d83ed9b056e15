/**
 * What the market asks of a task's terms (`contracts/libraries/TaskRules.sol`), in words, so that a requester need not learn it from a refused
 * transaction. The contract is what decides.
 */
import { type TaskFile, TaskFileError } from "../shared/task/task.ts";

type Terms = TaskFile["market"];

export interface Violation {
  /** The key of `market` that the contract would name. */
  readonly field: keyof Terms;
  /** What is wrong with it, in words and numbers. */
  readonly problem: string;
}

const BOND_SHARE = 64n;
const FEE_SHARE = 64n;
const MAX_DRAWS = 32;
const MAX_BEACON_DELAY = 255;
const MAX_WINDOW = 60 * 86_400;
const MIN_CLOCK = 300;
const MIN_GRACE = 60;
const TIMES = ["checkpointTime", "replayTime", "sealWindow", "revealWindow"] as const;

/** @param seatStake of the market, in the token's smallest unit; null where no market is known, and its rules are left out. */
export function violations(terms: Terms, seatStake: bigint | null): Violation[] {
  const found: Violation[] = [];
  const rule = (field: keyof Terms, holds: boolean, problem: string): void => {
    if (!holds) found.push({ field, problem });
  };
  const { price, solverBond, challengerBond, verifierFee, draws, beaconDelay } = terms;
  rule("solverBond", solverBond >= 2n * price, `${solverBond} is less than twice the price, ${2n * price}`);
  const stake = draws === 0 ? 0n : (seatStake ?? 0n);
  const worth = solverBond > stake ? solverBond : stake;
  const least = worth / BOND_SHARE > 0n ? worth / BOND_SHARE : 1n;
  const of = worth === solverBond ? "solverBond" : "the market's stake of a seat";
  rule("challengerBond", challengerBond >= least, `${challengerBond} is less than a 64th of ${of}, ${least}`);
  rule(
    "challengerBond",
    challengerBond <= solverBond / 4n,
    `${challengerBond} is more than a quarter of solverBond, ${solverBond / 4n}`,
  );
  if (seatStake !== null) {
    const most = seatStake / FEE_SHARE;
    rule(
      "verifierFee",
      verifierFee <= most,
      `${verifierFee} is more than a 64th of the market's stake of a seat, ${most}`,
    );
  }
  rule("draws", draws <= MAX_DRAWS, `${draws} is more than ${MAX_DRAWS}`);
  rule(
    "beaconDelay",
    beaconDelay >= 1 && beaconDelay <= MAX_BEACON_DELAY,
    `${beaconDelay} is not from 1 to ${MAX_BEACON_DELAY} blocks`,
  );
  for (const field of TIMES) rule(field, terms[field] > 0, "it must be above 0 seconds");
  const { sealWindow, revealWindow, replayTime, challengeWindow, clock, answerGrace } = terms;
  const needed = sealWindow + revealWindow + replayTime;
  rule(
    "challengeWindow",
    challengeWindow >= needed,
    `${challengeWindow} s are less than sealWindow + revealWindow + replayTime, ${needed} s`,
  );
  rule("challengeWindow", challengeWindow <= MAX_WINDOW, `${challengeWindow} s are more than 60 days, ${MAX_WINDOW} s`);
  rule("clock", clock >= MIN_CLOCK, `${clock} s are less than ${MIN_CLOCK} s`);
  rule("answerGrace", answerGrace >= MIN_GRACE, `${answerGrace} s are less than ${MIN_GRACE} s`);
  return found;
}

/** @throws TaskFileError that names the first violated rule. */
export function requireMarketRules({ market }: TaskFile, seatStake: bigint): void {
  const [first] = violations(market, seatStake);
  if (first !== undefined)
    throw new TaskFileError(`$.market.${first.field}`, `the market refuses it: ${first.problem}`);
}

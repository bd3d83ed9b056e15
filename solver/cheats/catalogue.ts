/** Every cheat by its name. */
import { TouchstoneError } from "../../shared/errors.ts";
import { activationUlp } from "./activationUlp.ts";
import type { Cheat } from "./cheat.ts";
import { padding } from "./padding.ts";
import { randomWeights } from "./randomWeights.ts";
import { reusedCheckpoint } from "./reusedCheckpoint.ts";
import { silentOpening, silentPartial, silentSegment, silentTile } from "./silent.ts";
import { skippedStep } from "./skippedStep.ts";
import { staleOptimizer } from "./staleOptimizer.ts";
import { staleAdapter, staleStatistics } from "./staleState.ts";
import { traceMismatch } from "./traceMismatch.ts";
import { weightBit } from "./weightBit.ts";
import { wrongBatch } from "./wrongBatch.ts";
import { wrongConstant } from "./wrongConstant.ts";
import { wrongGate } from "./wrongGate.ts";
import { wrongOutput } from "./wrongOutput.ts";
import { wrongRandom } from "./wrongRandom.ts";
import { wrongRate } from "./wrongRate.ts";

export const CHEATS: readonly Cheat[] = [
  weightBit,
  activationUlp,
  skippedStep,
  wrongBatch,
  staleOptimizer,
  wrongRate,
  reusedCheckpoint,
  randomWeights,
  traceMismatch,
  padding,
  silentSegment,
  silentOpening,
  silentPartial,
  silentTile,
  wrongRandom,
  wrongConstant,
  wrongGate,
  staleStatistics,
  staleAdapter,
  wrongOutput,
];

export class UnknownCheatError extends TouchstoneError {
  readonly code = "UNKNOWN_CHEAT";
  constructor(name: string) {
    super(`There is no cheat ${JSON.stringify(name)}.`, {
      remedy: `Choose one of ${CHEATS.map((cheat) => cheat.name).join(", ")}.`,
    });
  }
}

/** @throws UnknownCheatError */
export function cheatByName(name: string): Cheat {
  const cheat = CHEATS.find((candidate) => candidate.name === name);
  if (cheat === undefined) throw new UnknownCheatError(name);
  return cheat;
}

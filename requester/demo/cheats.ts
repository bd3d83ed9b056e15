/** The catalogue of cheats, as the solver's program tells it. */
import { TouchstoneError } from "../../shared/errors.ts";
import { ProgramProcess } from "./programProcess.ts";

export interface CheatSummary {
  readonly name: string;
  readonly summary: string;
  /** What a model must have for it; null where any training will do. */
  readonly needs: string | null;
}

export class UnknownCheatError extends TouchstoneError {
  readonly code = "UNKNOWN_CHEAT";
  constructor(name: string, known: readonly string[]) {
    super(`There is no cheat ${JSON.stringify(name)}.`, { remedy: `Choose one of ${known.join(", ")}.` });
  }
}

export async function listCheats(): Promise<readonly CheatSummary[]> {
  const solver = new ProgramProcess("solver", "solver", ["cheats"], {});
  const { cheats } = await solver.waitFor("the catalogue", ({ event }) => event === "cheats");
  await solver.ended;
  return cheats as readonly CheatSummary[];
}

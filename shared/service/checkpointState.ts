/** Committed states: from the store where it has them, never believed before they hash to their root. */
import type { Hex } from "viem";
import { getCheckpoint } from "../data/checkpoint.ts";
import { TouchstoneError } from "../errors.ts";
import type { Program, Tensor } from "../program/program.ts";
import { contentIdOfBytes32 } from "../store/contentId.ts";
import type { Store } from "../store/store.ts";
import type { BookedCheckpoint } from "./marketBook.ts";

/** The state, or the reason why the store does not give it: missing, damaged, another one, unreachable. */
export async function fetchCheckpoint(
  store: Store,
  program: Program,
  { locator, stateRoot }: BookedCheckpoint,
): Promise<{ readonly state: readonly Tensor[] } | { readonly problem: TouchstoneError }> {
  try {
    return { state: await getCheckpoint(store, contentIdOfBytes32(locator), program.state, stateRoot as Hex) };
  } catch (error) {
    if (error instanceof TouchstoneError) return { problem: error };
    throw error;
  }
}

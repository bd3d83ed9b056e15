/** What a solver's service is asked for. */
import type { Hex } from "viem";
import type { Cheat } from "./cheats/cheat.ts";

export interface CheatOptions {
  readonly cheat: Cheat;
  readonly seed: bigint;
  /** File for the fault that was put in. */
  readonly report?: string;
}

export interface SolverOptions {
  /** Only this task; else the first one that can be verified and done. */
  readonly task?: Hex;
  /** Leave tasks that pay less to others, in the token's smallest unit; 1 by default. */
  readonly minimumPrice?: bigint;
  /** End when the task has ended. */
  readonly once: boolean;
  readonly fromBlock?: bigint;
  readonly cheat?: CheatOptions;
}

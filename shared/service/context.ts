/** What a solver's or a verifier's service works with. */
import type { Output } from "../cli.ts";
import type { ProgramContext } from "../programOptions.ts";

export interface ServiceContext extends ProgramContext {
  readonly output: Output;
  /** Folder of the journal. */
  readonly dataDir: string;
  /** Threads of an engine. */
  readonly threads: number;
  /** Ends the service between two things it does. */
  readonly signal: AbortSignal;
}

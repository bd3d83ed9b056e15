/** What a solver's or a verifier's service works with. */
import type { Output } from "../cli.ts";
import type { EngineOptions } from "../engine/provider.ts";
import type { ProgramContext } from "../programOptions.ts";

export interface ServiceContext extends ProgramContext {
  readonly output: Output;
  /** Folder of the journal. */
  readonly dataDir: string;
  /** How engines run. */
  readonly engine: EngineOptions;
  /** Ends the service between two things it does. */
  readonly signal: AbortSignal;
}

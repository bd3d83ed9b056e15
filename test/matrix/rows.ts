/** Every row of the cheat matrix, by the program that it is played with. */

import { wideProgram } from "../contracts/support/wide.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import type { Row } from "./cheats.ts";
import { inputLies } from "./inputs.ts";
import { partialLies } from "./partials.ts";
import { silences } from "./silences.ts";
import { openStage, type Stage } from "./stage.ts";
import { structureLies } from "./structures.ts";
import { wordLies } from "./words.ts";

/** Two programs: one with every family and order of samples, and one whose reductions are all too long to be recomputed whole. */
export const PROGRAMS: readonly {
  readonly name: string;
  open(): Promise<Stage>;
  rows(stage: Stage): Row[];
}[] = [
  {
    name: "every family",
    open: () => openStage(smallJob({ steps: 7, interval: 4 }), smallInitialState()),
    rows: (stage) => [
      ...wordLies(stage),
      ...inputLies(stage),
      ...structureLies(stage),
      ...partialLies(stage, { y: true, "embedding.gradient": false, "y.peakA": true }),
      ...silences(stage),
    ],
  },
  {
    name: "long reductions",
    open: () => openStage(exampleJob(wideProgram(), 5, { steps: 3, interval: 2 }), exampleState(wideProgram(), 5)),
    rows: (stage) =>
      partialLies(stage, {
        loss: false,
        "weight.gradient": false,
        "table.gradient": false,
        "loss.peak": false,
      }),
  },
];

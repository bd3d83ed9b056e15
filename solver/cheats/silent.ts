/** Faults whose solver stops answering at one kind of move, so that its clock decides. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { activations } from "./places.ts";
import { anyStep, changedElement, furtherByUlps, oneStep } from "./plans.ts";
import { weightBit } from "./weightBit.ts";

export const silentSegment: Cheat = {
  name: "silent-segment",
  summary: "a wrong weight, and no answer to the challenge",
  silentAt: "answer",
  plan: (context) => weightBit.plan(context),
};

export const silentOpening: Cheat = {
  name: "silent-opening",
  summary: "a wrong weight, and no opening of any node",
  silentAt: "open",
  plan: (context) => weightBit.plan(context),
};

export const silentTile: Cheat = {
  name: "silent-tile",
  summary: "a wrong weight, and no words of the tile that holds it",
  silentAt: "openTile",
  plan: (context) => weightBit.plan(context),
};

export const silentPartial: Cheat = {
  name: "silent-partial",
  summary: "a wrong long sum, and no partial results of it",
  silentAt: "claimPartials",
  plan(context) {
    const { job, random } = context;
    // Longer than a contract recomputes at once, so that partial results are demanded.
    const long = activations(job.program, (operator) => operator.family === "dot" && operator.length > 64);
    if (long.length === 0) throw new CheatImpossibleError("silent-partial", "no Dot is longer than 64");
    const step = anyStep(context);
    const change = (word: number): number => furtherByUlps(word, 2 ** 18);
    return oneStep(
      step,
      changedElement(job, step, random, () => ({ operators: long, change })),
    );
  },
};

/** One gate of a recurrent cell, or of a gated layer, lets through more than it should. */
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { activations } from "./places.ts";
import { anyLastStep, changedElement, furtherByUlps, oneStep } from "./plans.ts";

/** A thousandth of the gate's value, and more where that is lost on the way to the state. */
const UNITS = 2 ** 13;

export const wrongGate: Cheat = {
  name: "wrong-gate",
  summary: "opens one gate of a recurrent cell too far and computes on from it",
  needs: "recurrent cells",
  plan(context) {
    const { job, random } = context;
    const gates = activations(job.program, ({ family }) => family === "map").filter((index) =>
      /\.gates\.\d+$/.test(job.program.operators[index]!.name),
    );
    if (gates.length === 0) throw new CheatImpossibleError(this.name, "no cell has gates");
    const step = anyLastStep(context);
    return oneStep(
      step,
      changedElement(job, step, random, (attempt) => ({
        operators: gates,
        change: (word) => furtherByUlps(word, UNITS * 2 ** Math.min(attempt, 6)),
      })),
    );
  },
};

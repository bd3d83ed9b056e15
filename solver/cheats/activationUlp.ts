/** One activation or gradient is a unit in the last place off. */
import type { Operator } from "../../shared/program/descriptor.ts";
import { type Cheat, CheatImpossibleError } from "./cheat.ts";
import { activations, gradients } from "./places.ts";
import { anyLastStep, changedElement, furtherByUlps, oneStep } from "./plans.ts";

/** Attempts at any activation; then at a gradient, whose last digit is more likely to reach the state. */
const ANYWHERE = 4;
/** Attempts with one unit; then with ever more. */
const ONE_UNIT = 16;

const isComputed = ({ family }: Operator): boolean => ["map", "dot", "sum", "sumByIndex"].includes(family);

export const activationUlp: Cheat = {
  name: "activation-ulp",
  summary: "makes one activation one unit in the last place too large and computes on from it",
  plan(context) {
    const { job, random } = context;
    const anywhere = activations(job.program, isComputed);
    const nearby = gradients(job.program, isComputed);
    if (nearby.length === 0) throw new CheatImpossibleError(this.name, "no update reads a computed gradient");
    const step = anyLastStep(context);
    return oneStep(
      step,
      changedElement(job, step, random, (attempt) => ({
        operators: attempt < ANYWHERE ? anywhere : nearby,
        change: (word) => furtherByUlps(word, 2 ** Math.max(0, attempt - ONE_UNIT)),
      })),
    );
  },
};

/** What the self-test compares with. */
import { stateRoot } from "../../commitment/stateRoot.ts";
import { commitProgram } from "../../job/training.ts";
import type { Program } from "../../program/program.ts";
import type { StepInputs } from "../../program/stepInputs.ts";
import type { StepTrace } from "../engine.ts";
import { ReferenceEngine } from "../reference.ts";

const traces = new Map<string, Promise<StepTrace>>();

/**
 * The reference engine's trace, computed once in a process for a program and its state.
 * @param inputs of a program that reads nothing else.
 */
export function expectedTrace(program: Program, inputs: StepInputs): Promise<StepTrace> {
  const key = JSON.stringify([commitProgram(program), program.loss, stateRoot(inputs.state)]);
  const known = traces.get(key) ?? new ReferenceEngine(program).trace(inputs);
  traces.set(key, known);
  return known;
}

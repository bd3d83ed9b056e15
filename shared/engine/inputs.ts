/** Checks on what is given to an engine, before it reaches one that knows sizes only from its buffers. */
import { isComputed, wordCount } from "../program/descriptor.ts";
import type { Program, Tensor } from "../program/program.ts";
import { type SourceOutputs, type StepInputs, sourceOutput } from "../program/stepInputs.ts";
import { StepInputsError } from "./reference.ts";

/** @throws StepInputsError when a tensor is missing or has another size than the program says. */
export function requireInputs(program: Program, inputs: StepInputs): StepInputs {
  requireState(program, inputs.state);
  requireSources(program, inputs);
  return inputs;
}

/** @throws StepInputsError */
export function requireState(program: Program, state: readonly Tensor[]): void {
  for (const [p, { name, shape }] of program.state.entries()) requireWords(`State ${name}`, shape, state[p]);
}

/** @throws StepInputsError */
export function requireSources(program: Program, sources: SourceOutputs): SourceOutputs {
  for (const [index, { name, operator }] of program.operators.entries()) {
    if (!isComputed(operator)) requireWords(`Operator ${name}`, operator.shape, sourceOutput(sources, index));
  }
  return sources;
}

function requireWords(what: string, shape: readonly number[], tensor: Tensor | undefined): void {
  const expected = wordCount(shape);
  if (tensor?.words.length !== expected) throw new StepInputsError(what, expected, tensor?.words.length);
}

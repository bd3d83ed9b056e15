/** The part of a training program that evaluates the model: what its logits and its loss depend on, without any update. */

import type { CompiledEvaluation } from "../shared/compile/compile.ts";
import type { Operator, Reference } from "../shared/program/descriptor.ts";
import type { Program } from "../shared/program/program.ts";

/** @throws RangeError when the program names no logits. */
export function forwardProgram(training: Program): CompiledEvaluation {
  if (training.logits === null) throw new RangeError("the program names no logits");
  const operators = new Set<number>();
  const state = new Set<number>();
  const visit = (index: number): void => {
    if (operators.has(index)) return;
    operators.add(index);
    for (const { reference } of training.operators[index]!.operator.operands) {
      if (reference.kind === "operator") visit(reference.index);
      else if (reference.kind === "state") state.add(reference.index);
    }
  };
  visit(training.logits);
  visit(training.loss);
  const operatorIndex = renumber(operators);
  const stateIndex = renumber(state);
  const moved = (reference: Reference): Reference => {
    if (reference.kind === "constant") return reference;
    const index = (reference.kind === "operator" ? operatorIndex : stateIndex).get(reference.index)!;
    return { ...reference, index };
  };
  const kept = [...stateIndex.keys()];
  const program: Program = {
    ...training,
    operators: [...operatorIndex.keys()].map((index) => {
      const { name, operator } = training.operators[index]!;
      const operands = operator.operands.map((operand) => ({ ...operand, reference: moved(operand.reference) }));
      return { name, operator: { ...operator, operands } as Operator };
    }),
    state: kept.map((index) => ({ ...training.state[index]!, source: null })),
    logits: operatorIndex.get(training.logits)!,
    loss: operatorIndex.get(training.loss)!,
  };
  return { program, kept };
}

/** New positions of the kept indices, in their order. */
function renumber(kept: ReadonlySet<number>): Map<number, number> {
  return new Map([...kept].sort((a, b) => a - b).map((index, position) => [index, position]));
}

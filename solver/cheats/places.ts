/** Where in a run a cheat can take place. */

import { parameterIndices } from "../../shared/compile/optimizer/parameters.ts";
import { Dtype, type Operator, wordCount } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";

/** Float32 parameters that a step replaces. */
export function parameters({ state }: Program): number[] {
  return parameterIndices(state).filter((tensor) => {
    const { source, dtype } = state[tensor]!;
    return source !== null && dtype === Dtype.float32;
  });
}

/** The optimizer's moments. */
export function moments({ state }: Program): number[] {
  const own = new Set(parameterIndices(state));
  return indices(state.length).filter((tensor) => !own.has(tensor));
}

/** Tensors of the state whose last tile has padding. */
export function paddedStates(program: Program): number[] {
  return indices(program.state.length).filter((tensor) => wordCount(program.state[tensor]!.shape) % 64 !== 0);
}

/** Float32 operators that the new state depends on and that are not themselves what the state becomes: activations and gradients. */
export function activations(program: Program, accept: (operator: Operator) => boolean): number[] {
  const updates = updatesOf(program);
  const used = new Set(updates);
  // Operators only read earlier ones, so one pass from the end finds all that the updates need.
  for (let index = program.operators.length - 1; index >= 0; index--) {
    if (used.has(index)) for (const operand of operatorsReadBy(program, index)) used.add(operand);
  }
  return [...used].filter((index) => !updates.has(index) && isFloat(program, index, accept)).sort((a, b) => a - b);
}

/** The activations that updates of the state read at once: gradients. */
export function gradients(program: Program, accept: (operator: Operator) => boolean): number[] {
  const updates = updatesOf(program);
  const read = new Set([...updates].flatMap((index) => operatorsReadBy(program, index)));
  return [...read].filter((index) => !updates.has(index) && isFloat(program, index, accept)).sort((a, b) => a - b);
}

function updatesOf(program: Program): ReadonlySet<number> {
  return new Set(program.state.flatMap(({ source }) => (source === null ? [] : [source])));
}

function operatorsReadBy(program: Program, index: number): number[] {
  return program.operators[index]!.operator.operands.flatMap(({ reference }) =>
    reference.kind === "operator" ? [reference.index] : [],
  );
}

function isFloat(program: Program, index: number, accept: (operator: Operator) => boolean): boolean {
  const { operator } = program.operators[index]!;
  return operator.dtype === Dtype.float32 && accept(operator);
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

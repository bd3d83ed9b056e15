/** Programs of one operator over state tensors, on ONNX Runtime and by the element rule. */
import assert from "node:assert/strict";
import { Dtype, type Operand, type Operator, wordCount } from "../../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../../shared/program/program.ts";
import { traceByElements } from "../../helpers/elements.ts";
import { floats, ints } from "../../helpers/operators.ts";
import type { Random } from "../../helpers/random.ts";
import { FORMS, openLocal } from "../compare.ts";

export function singleProgram(state: readonly Tensor[], operators: readonly Operator[]): Program {
  return {
    operators: operators.map((operator, n) => ({ name: `${operator.family}${n}`, operator })),
    state: state.map(({ dtype, shape }, p) => ({ name: `state${p}`, dtype, shape, source: null })),
    constants: [],
    sample: { words: 0, fields: [] },
    scheduleColumns: [],
    loss: 0,
    logits: null,
  };
}

/** Every output of the program equals what the element rule gives, however it is realised. */
export async function assertElementRule(state: readonly Tensor[], operators: readonly Operator[], message?: string) {
  const program = singleProgram(state, operators);
  const job = { program, samples: new Uint32Array(), schedule: new Uint32Array(), seed: 0n, steps: 1, interval: 1 };
  const expected = traceByElements(job, 0, state);
  for (const form of FORMS) {
    const engine = await openLocal(program, 1, form);
    const trace = await engine.trace({ state, batches: new Map(), schedule: new Map() });
    await engine.close();
    for (const [n, tensor] of expected.entries()) {
      assert.deepEqual(trace.outputs[n], tensor, message ?? `${engine.name}: ${JSON.stringify(operators[n])}`);
    }
  }
}

/** Numbers in ±4 with 8 fraction bits, so that products stay normal. */
export function floatTensor(random: Random, shape: readonly number[]): Tensor {
  const values = Array.from({ length: wordCount(shape) }, () => (random.below(2049) - 1024) / 256);
  return { dtype: Dtype.float32, shape, words: floats(...values) };
}

export function indexTensor(random: Random, shape: readonly number[], least: number, most: number): Tensor {
  const values = Array.from({ length: wordCount(shape) }, () => random.between(least, most));
  return { dtype: Dtype.int32, shape, words: ints(...values) };
}

export function operandOf(state: readonly Tensor[], p: number, offset: number, strides: readonly number[]): Operand {
  const { dtype, words } = state[p]!;
  return { reference: { kind: "state", index: p }, dtype, count: words.length, offset, strides };
}

/** Random cases of a test; TOUCHSTONE_DEEP=1 asks for many more. */
export const ROUNDS = process.env.TOUCHSTONE_DEEP === "1" ? 1000 : 50;

/** 0 … count − 1 in random order. */
export function shuffled(random: Random, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

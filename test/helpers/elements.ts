/** Recomputes a whole trace by the element rule alone. */

import { type Job, stepPosition } from "../../shared/job/job.ts";
import { element } from "../../shared/operators/element.ts";
import type { Read } from "../../shared/operators/read.ts";
import { type Operator, wordCount } from "../../shared/program/descriptor.ts";
import type { Tensor } from "../../shared/program/program.ts";

/** What an operator of a step reads: the outputs of earlier operators, the state, the constants, the dataset and the schedule. */
export function readOf(job: Job, operator: Operator, outputs: readonly Tensor[], state: readonly Tensor[]): Read {
  if (operator.family === "batch") return (row, address) => job.samples[row * job.program.sample.words + address]!;
  if (operator.family === "schedule") return (_, address) => job.schedule[address]!;
  const tensors = { operator: outputs, state, constant: job.program.constants };
  return (operand, address) => {
    const { kind, index } = operator.operands[operand]!.reference;
    return tensors[kind][index]?.words[address] ?? 0;
  };
}

/** Every operator's output at a step, element by element. */
export function traceByElements(job: Job, step: number, state: readonly Tensor[]): Tensor[] {
  const position = stepPosition(job, step);
  const outputs: Tensor[] = [];
  for (const { operator } of job.program.operators) {
    const read = readOf(job, operator, outputs, state);
    const { dtype, shape } = operator;
    const words = Uint32Array.from({ length: wordCount(shape) }, (_, i) => element(operator, i, read, position));
    outputs.push({ dtype, shape, words });
  }
  return outputs;
}

/** How the element rules read the operands of one step from one side's tensors. */
import type { Read } from "../operators/read.ts";
import type { Operator } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";
import type { Run } from "./run.ts";

/** @param before the state before the step. @returns the reader for one operator's operands. */
export function readerOf(run: Run, operator: Operator, outputs: readonly Tensor[], before: readonly Tensor[]): Read {
  if (operator.family === "batch") {
    const width = run.program.sample.words;
    return (row, address) => run.job.samples[row * width + address] ?? 0;
  }
  if (operator.family === "schedule") return (_, address) => run.job.schedule[address] ?? 0;
  const tensors = { operator: outputs, state: before, constant: run.program.constants };
  const words = operator.operands.map(({ reference }) => tensors[reference.kind][reference.index]?.words);
  return (operand, address) => words[operand]?.[address] ?? 0;
}

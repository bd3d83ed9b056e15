/** What is known of an int32 operand before the run: declared dataset bounds, which are checked when the data is read, and constants. */
import type { Operand } from "../../program/descriptor.ts";
import type { Program } from "../../program/program.ts";

/** Whether every word of the operand is known to lie in 0 … rows − 1. */
export function indexIsBelow(program: Program, operand: Operand, rows: number): boolean {
  const { kind, index } = operand.reference;
  if (kind === "constant") {
    return program.constants[index]!.words.every((word) => (word | 0) >= 0 && word < rows);
  }
  if (kind !== "operator") return false;
  const operator = program.operators[index]!.operator;
  if (operator.family !== "batch") return false;
  const end = operator.offset + operator.shape[1]!;
  let known = 0;
  for (const field of program.sample.fields) {
    const from = Math.max(field.offset, operator.offset);
    const to = Math.min(field.offset + field.width, end);
    if (from >= to) continue;
    if (field.dtype !== operand.dtype || field.minimum < 0 || field.maximum >= rows) return false;
    known += to - from;
  }
  return known === operator.shape[1]!;
}

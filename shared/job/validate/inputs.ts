/**
 * What a job brings besides its program: the samples lie within the declared bounds, schedule and initial state are within the guard,
 * and every float32 word is flushed. The range analysis starts from this.
 */

import { TouchstoneError } from "../../errors.ts";
import { toNumber } from "../../numerics/float32.ts";
import { isFlushed } from "../../numerics/flush.ts";
import { GUARD_LIMIT } from "../../numerics/guard.ts";
import { Dtype, wordCount } from "../../program/descriptor.ts";
import type { Program, SampleField, Tensor } from "../../program/program.ts";
import { type Job, sampleCount } from "../job.ts";
import type { ScheduleBounds } from "./ranges.ts";

/** A value of the dataset, the schedule or the initial state that no run may start from. */
export class JobInputsError extends TouchstoneError {
  readonly code = "JOB_INPUTS";

  constructor(where: string, problem: string) {
    super(`${where} ${problem}.`, { remedy: "Correct the value, or the bounds that the program declares for it." });
  }
}

/** @throws JobInputsError at the first word of the dataset outside its field's bounds or not flushed. */
export function requireSamples(job: Job): void {
  const { words, fields } = job.program.sample;
  const count = sampleCount(job);
  for (const field of fields)
    for (let row = 0; row < count; row++)
      for (let at = field.offset; at < field.offset + field.width; at++) {
        const problem = fieldProblem(field, job.samples[row * words + at]!);
        if (problem !== null)
          throw new JobInputsError(`Sample ${row}, field ${field.name}, word ${at - field.offset}`, problem);
      }
}

/** @throws JobInputsError at the first word of the schedule that is not flushed or beyond 2^20. */
export function requireSchedule({ program, schedule }: Job): void {
  const width = program.scheduleColumns.length;
  for (const [at, word] of schedule.entries()) {
    const problem = numberProblem(word);
    if (problem !== null)
      throw new JobInputsError(
        `Step ${Math.floor(at / width)}, column ${program.scheduleColumns[at % width]}`,
        problem,
      );
  }
}

/** @throws JobInputsError when the state has not the program's tensors, or holds a word that is not flushed or beyond 2^20. */
export function requireInitialState(program: Program, state: readonly Tensor[]): void {
  if (state.length !== program.state.length)
    throw new JobInputsError("The initial state", `has ${state.length} tensors instead of ${program.state.length}`);
  for (const [at, { name, dtype, shape }] of program.state.entries()) {
    const tensor = state[at]!;
    if (tensor.dtype !== dtype || tensor.words.length !== wordCount(shape))
      throw new JobInputsError(`Initial state ${name}`, `is not of dtype ${dtype} and shape [${shape}]`);
    for (const [position, word] of tensor.words.entries()) {
      const problem = dtype === Dtype.int32 ? boundProblem(word | 0) : numberProblem(word);
      if (problem !== null) throw new JobInputsError(`Initial state ${name}, word ${position}`, problem);
    }
  }
}

/** Bounds of every schedule column of a job, for `validate`. */
export function scheduleBounds({ program, schedule }: Job): ScheduleBounds[] {
  const width = program.scheduleColumns.length;
  return program.scheduleColumns.map((_, column) => {
    let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = column; at < schedule.length; at += width) {
      minimum = Math.min(minimum, toNumber(schedule[at]!));
      maximum = Math.max(maximum, toNumber(schedule[at]!));
    }
    return { minimum, maximum };
  });
}

function fieldProblem({ dtype, minimum, maximum }: SampleField, word: number): string | null {
  if (dtype === Dtype.float32 && !isFlushed(word)) return NOT_FLUSHED;
  const value = dtype === Dtype.int32 ? word | 0 : toNumber(word);
  return value >= minimum && value <= maximum ? null : `is ${value}, outside ${minimum} … ${maximum}`;
}

const NOT_FLUSHED = "is not a flushed float32 number (finite, not −0, a multiple of 2^-104)";

function numberProblem(word: number): string | null {
  return isFlushed(word) ? boundProblem(toNumber(word)) : NOT_FLUSHED;
}

function boundProblem(value: number): string | null {
  return Math.abs(value) <= GUARD_LIMIT ? null : `is ${value}, beyond 2^20`;
}

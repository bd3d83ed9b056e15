/**
 * The malformed predicate of docs/numerics.md, section 4. A program without findings has this property: in every step whose guard is at
 * most 2^20, for every dataset, schedule and initial state that `validate/inputs.ts` accepts, every word of the trace is finite, and
 * the same on every engine that rounds correctly, whether or not it takes zero for subnormals and whatever it makes of the
 * sign of zero.
 *
 * The argument goes through the operators in order. Whatever a Peak measures, and the sources of state and loss, are assumed by all
 * readers to be at most 2^20 in magnitude. Suppose that is false somewhere, and let n be the first such operator: all that n reads is
 * within its bounds, so all engines agree on n's words, their guards measure them, and they all find the step invalid.
 * Otherwise the bounds hold, and each operator's range follows from those of its operands (`validate/ranges.ts`).
 */

import type { Program, Tensor } from "../program/program.ts";
import { type Job, requireJob } from "./job.ts";
import { type Finding, MalformedProgramError } from "./validate/finding.ts";
import { requireInitialState, requireSamples, requireSchedule, scheduleBounds } from "./validate/inputs.ts";
import { analyse, type RangeOptions } from "./validate/ranges.ts";
import { structureFindings } from "./validate/structure.ts";

/** Everything that is wrong with a program; empty when it is well-formed. */
export function validate(program: Program, options: RangeOptions = {}): Finding[] {
  const structure = structureFindings(program);
  const unsound = new Set(structure.map(({ operator }) => operator));
  // Constants that are not what they should be leave nothing to analyse.
  if (unsound.has(null)) return structure;
  return [...structure, ...analyse(program, unsound, options).findings];
}

/** @throws MalformedProgramError with every finding. */
export function requireWellFormed(program: Program, options: RangeOptions = {}): void {
  const findings = validate(program, options);
  if (findings.length > 0) throw new MalformedProgramError(findings);
}

/**
 * Everything that a solver checks before it bids and a requester before it posts.
 * @throws JobError, JobInputsError or MalformedProgramError.
 */
export function requireWellFormedJob(job: Job, initialState: readonly Tensor[]): void {
  requireJob(job);
  requireSchedule(job);
  requireWellFormed(job.program, { schedule: scheduleBounds(job) });
  requireInitialState(job.program, initialState);
  requireSamples(job);
}

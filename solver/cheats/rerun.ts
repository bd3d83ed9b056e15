/** Steps computed with a lie inside: everything after it follows from it by the honest rules. */
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import type { StepInputs } from "../../shared/program/stepInputs.ts";

/** A step from other inputs than the job's. */
export async function rerunWith(
  job: Job,
  step: number,
  before: readonly Tensor[],
  change: (inputs: StepInputs) => StepInputs,
): Promise<TracedStep> {
  const { outputs, state } = await new ReferenceEngine(job.program).trace(change(stepInputs(job, step, before)));
  return { outputs, state };
}

/** A step of the program with other constants. */
export async function rerunWithConstants(
  job: Job,
  step: number,
  before: readonly Tensor[],
  constants: readonly Tensor[],
): Promise<TracedStep> {
  const engine = new ReferenceEngine({ ...job.program, constants });
  const { outputs, state } = await engine.trace(stepInputs(job, step, before));
  return { outputs, state };
}

/** A step whose operator `index` gives `words` instead of its result. */
export async function rerunWithOutput(
  job: Job,
  step: number,
  before: readonly Tensor[],
  index: number,
  words: Uint32Array,
): Promise<TracedStep> {
  // A batch operator is one whose output arrives from outside, which is all that the engine needs to know.
  const { dtype, shape } = job.program.operators[index]!.operator;
  const operators = job.program.operators.with(index, {
    name: job.program.operators[index]!.name,
    operator: { family: "batch", dtype, shape, order: "sequential", offset: 0, operands: [] },
  });
  const program: Program = { ...job.program, operators };
  const inputs = stepInputs(job, step, before);
  const batches = new Map(inputs.batches).set(index, { dtype, shape, words });
  const { outputs, state } = await new ReferenceEngine(program).trace({ ...inputs, batches });
  return { outputs, state };
}

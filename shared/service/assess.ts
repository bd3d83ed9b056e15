/** Whether a task can be done by this machine in the time that it allows: measured, before anything is staked. */
import { TouchstoneError } from "../errors.ts";
import { segmentSteps, stepInputs } from "../program/job.ts";
import type { LoadedTask } from "./loadTask.ts";

/** Steps timed, the first of which warms the engine up. */
const TIMED_STEPS = 3;
/** Time is needed for other things too, and a machine may be slower tomorrow. */
const MARGIN = 3;

export class TaskWindowError extends TouchstoneError {
  readonly code = "TASK_WINDOW";
  constructor(window: string, given: number, needed: number) {
    super(`The task gives ${given} s for ${window}; this machine may need ${needed} s.`, {
      remedy: "Leave this task to a faster machine, or ask its requester for longer windows.",
    });
  }
}

export interface Assessment {
  readonly secondsPerStep: number;
  readonly secondsPerTracedStep: number;
}

/**
 * For a solver: times a few steps and compares with the windows.
 * @throws TaskWindowError when a checkpoint or an answer could come too late.
 */
export async function assessTraining(task: LoadedTask): Promise<Assessment> {
  const { job, engine, initialState, spec } = task;
  const inputs = stepInputs(job, 0, initialState);
  const secondsPerStep = await secondsOf(() => engine.step(inputs));
  requireTime("one checkpoint (checkpointTime)", spec.checkpointTime, secondsPerStep * segmentSteps(job, 0).stepCount);
  return { secondsPerStep, secondsPerTracedStep: await assessDefence(task) };
}

/**
 * For whoever may become a defendant: times traced steps, and returns the seconds that one takes.
 * @throws TaskWindowError when the answer to a dispute could come too late.
 */
export async function assessDefence({ job, engine, initialState, spec }: LoadedTask): Promise<number> {
  const inputs = stepInputs(job, 0, initialState);
  const secondsPerTracedStep = await secondsOf(() => engine.trace(inputs));
  const needed = secondsPerTracedStep * segmentSteps(job, 0).stepCount;
  requireTime("one side of a dispute (clock + answerGrace)", spec.clock + spec.answerGrace, needed);
  return secondsPerTracedStep;
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_STEPS; i++) {
    const start = performance.now();
    await run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

function requireTime(window: string, given: number, seconds: number): void {
  const needed = Math.ceil(seconds * MARGIN);
  if (given < needed) throw new TaskWindowError(window, given, needed);
}

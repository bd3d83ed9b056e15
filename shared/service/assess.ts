/** Whether a task can be done by this machine in the time that it allows: measured, before anything is staked. */
import { TouchstoneError } from "../errors.ts";
import { segmentSteps, stepInputsInTurns } from "../job/job.ts";
import type { LoadedTask } from "./loadTask.ts";

/** Steps timed, the first of which warms the engine up. */
const TIMED_STEPS = 3;
/** Time is needed for other things too, and a machine may be slower tomorrow. */
export const MARGIN = 3;
/** Seconds that one step may take, whatever a task's windows are: the first warms the engine up, and nobody's window is worth waiting a day. */
const PATIENCE: Patience = { least: 10 };
const MOST_PATIENCE = 600;
/** Seconds of one step that are measured well enough by one. */
const ENOUGH = 10;

export class TaskWindowError extends TouchstoneError {
  readonly code = "TASK_WINDOW";
  constructor(window: string, given: number, needed: number) {
    super(`The task gives ${given} s for ${window}; this machine may need ${needed} s.`, {
      remedy: "Leave this task to a faster machine, or ask its requester for longer windows.",
    });
  }
}

/** What of a task an assessment looks at. */
export interface Assessed extends Pick<LoadedTask, "job" | "initialState"> {
  readonly engine: Pick<LoadedTask["engine"], "step" | "trace">;
  readonly spec: Pick<LoadedTask["spec"], "checkpointTime" | "clock" | "answerGrace">;
}

export interface Patience {
  /** Seconds that one step may take even where the window is shorter. */
  readonly least: number;
}

export interface Assessment {
  readonly secondsPerStep: number;
  readonly secondsPerTracedStep: number;
}

/**
 * For a solver: times a few steps and compares with the windows.
 * @throws TaskWindowError when a checkpoint or an answer could come too late.
 */
export async function assessTraining(task: Assessed, patience: Patience = PATIENCE): Promise<Assessment> {
  const { job, engine, initialState, spec } = task;
  const checkpoint = { window: "one checkpoint (checkpointTime)", given: spec.checkpointTime };
  const inputs = await stepInputsInTurns(job, 0, initialState);
  const secondsPerStep = await secondsOf(checkpoint, patience, () => engine.step(inputs));
  requireTime(checkpoint, secondsPerStep * segmentSteps(job, 0).stepCount);
  return { secondsPerStep, secondsPerTracedStep: await assessDefence(task, patience) };
}

/**
 * For whoever may become a defendant: times traced steps, and returns the seconds that one takes. A segment must be traced within the
 * grace alone: of a flood of disputes about different segments, each adds no more than that to the clock of the next.
 * @throws TaskWindowError when the answer to a dispute, or to one of many, could come too late.
 */
export async function assessDefence(
  { job, engine, initialState, spec }: Assessed,
  patience: Patience = PATIENCE,
): Promise<number> {
  const side = { window: "one side of a dispute (clock + answerGrace)", given: spec.clock + spec.answerGrace };
  const inputs = await stepInputsInTurns(job, 0, initialState);
  const secondsPerTracedStep = await secondsOf(side, patience, () => engine.trace(inputs));
  const secondsPerSegment = secondsPerTracedStep * segmentSteps(job, 0).stepCount;
  requireTime(side, secondsPerSegment);
  requireTime({ window: "each further dispute (answerGrace)", given: spec.answerGrace }, secondsPerSegment);
  return secondsPerTracedStep;
}

/** What a task gives for something, in seconds. */
interface Window {
  readonly window: string;
  readonly given: number;
}

/** The least of a few runs. @throws TaskWindowError as soon as one takes longer than the window, or than anybody waits. */
async function secondsOf({ window, given }: Window, patience: Patience, run: () => Promise<unknown>): Promise<number> {
  const most = Math.min(Math.max(given, patience.least), MOST_PATIENCE);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMED_STEPS; i++) {
    const start = performance.now();
    await within(most, run(), () => new TaskWindowError(window, given, Math.ceil(most * MARGIN)));
    least = Math.min(least, (performance.now() - start) / 1000);
    // More of what is slow anyway tells nothing.
    if (least > ENOUGH) break;
  }
  return least;
}

/** Waits for a result; what comes after the limit is lost. @throws what `late` makes. */
async function within<T>(seconds: number, result: Promise<T>, late: () => Error): Promise<T> {
  result.catch(() => undefined);
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(late()), seconds * 1000);
  try {
    return await Promise.race([result, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function requireTime({ window, given }: Window, seconds: number): void {
  const needed = Math.ceil(seconds * MARGIN);
  if (given < needed) throw new TaskWindowError(window, given, needed);
}

/** An engine's own numbers as one side of a dispute. */
import type { Engine } from "../engine/engine.ts";
import { type Job, stepInputsInTurns } from "../job/job.ts";
import type { Tensor } from "../program/program.ts";
import type { TracedStep, Tracer } from "./segmentEvidence.ts";

export function engineTracer(job: Job, engine: Pick<Engine, "trace">): Tracer {
  return {
    async trace(step: number, state: readonly Tensor[]): Promise<TracedStep> {
      const { outputs, state: after } = await engine.trace(await stepInputsInTurns(job, step, state));
      return { outputs, state: after };
    },
  };
}

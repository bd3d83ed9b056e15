/** The examples by name, what each one's task file compiles to, and what its training comes to. */
import assert from "node:assert/strict";
import path from "node:path";
import { listExamples, prepareExample, typicalCheat } from "../../requester/demo/examples.ts";
import { TrainedModel } from "../../requester/evaluate.ts";
import { evaluateTrained, type ModelEvaluation } from "../../requester/evaluateModel.ts";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type Job, segmentCount, sourceOutputs } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { cheatByName } from "../../solver/cheats/catalogue.ts";
import { CheatingTracer } from "../../solver/cheats/cheatingTracer.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { CheatRandom } from "../../solver/cheats/random.ts";
import { evidenceOf, play, subjectOf } from "../dispute/play.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Names of all examples: the folders of `examples/` that hold a task file. */
export const EXAMPLES: readonly string[] = listExamples();

/** The task of an example as the demo posts it; makes the example's data first. Takes a second or two. */
export async function exampleTask(name: string): Promise<PreparedTask> {
  return await prepareTask(path.join(ROOT, prepareExample(name)));
}

/** The first steps of a job as one of their own. */
export function shortened(job: Job, steps: number, interval: number): Job {
  return { ...job, steps, interval, schedule: job.schedule.slice(0, steps * job.program.scheduleColumns.length) };
}

export interface Outcome {
  readonly losses: readonly number[];
  readonly state: readonly Tensor[];
  readonly untrained: ModelEvaluation;
  readonly trained: ModelEvaluation;
}

/** Trains for the first `steps` steps and evaluates, before and after, on `limit` samples at most. */
export async function trainedFor(prepared: PreparedTask, steps: number, limit: number): Promise<Outcome> {
  const { job, initialState } = prepared.taskPackage;
  const losses: number[] = [];
  const engine = await startOnnxRuntime(job.program);
  const { state } = await engine
    .steps({
      state: initialState,
      count: steps,
      inputs: (step) => sourceOutputs(job, step),
      onStep: (_, { loss }) => void losses.push(loss),
    })
    .finally(() => engine.close());
  const { program, kept } = prepared.evaluation;
  const evaluator = await startOnnxRuntime(program);
  const worth = (from: readonly Tensor[]): Promise<ModelEvaluation> => {
    const parts = kept.map((index) => from[index]!);
    return evaluateTrained(new TrainedModel(evaluator, program, parts), prepared, limit);
  };
  try {
    return { losses, state, untrained: await worth(initialState), trained: await worth(state) };
  } finally {
    await evaluator.close();
  }
}

/**
 * Plays the dispute, in memory, about the first segment that the example's typical cheat spoils in a run of four steps: convicted, at the
 * step, operator and tile where the cheat was. @returns the operator's name, or that of a tensor of the state.
 */
export async function convictedAt(name: string, { taskPackage }: PreparedTask, seed: bigint): Promise<string> {
  const { initialState } = taskPackage;
  const job = shortened(taskPackage.job, 4, Math.min(2, taskPackage.job.interval));
  const engine = await startOnnxRuntime(job.program);
  try {
    const honest = engineTracer(job, engine);
    const plan = cheatByName(typicalCheat(name)!).plan({ job, initialState, random: new CheatRandom(seed) });
    const cheat = new CheatingTracer(job, honest, plan);
    for (let segment = 0; segment < segmentCount(job); segment++) {
      const theirs = await evidenceOf(job, cheat, initialState, segment);
      const mine = await evidenceOf(job, honest, initialState, segment);
      if (theirs.endRoot === mine.endRoot) continue;
      const { walk } = await play(new Run(job), subjectOf(job, segment, theirs), theirs, mine, {
        claimPartials: lyingPartials,
      });
      assert.equal(walk.outcome?.defendantConvicted, true);
      const { injected } = cheat;
      assert.ok(injected !== null);
      const { step, tensor, ofState, index } = walk.position;
      const { operators, state } = job.program;
      const located = ofState ? `state ${state[tensor]!.name}` : operators[tensor]!.name;
      assert.deepEqual(
        [segment, mine.firstStep + step, located, index],
        [injected.segment, injected.step, injected.operator, injected.tile],
      );
      return located;
    }
    assert.fail("the cheat spoils no checkpoint");
  } finally {
    await engine.close();
  }
}

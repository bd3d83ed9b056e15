import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { assessDefence, assessTraining, TaskWindowError } from "../../shared/service/assess.ts";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import { embeddingProgram, exampleJob, exampleState } from "../helpers/programs.ts";

const program = embeddingProgram();
const HOUR = 3600;

/** A loaded task with the windows that an assessment looks at. */
function taskWith(windows: { checkpointTime: number; clock: number; answerGrace: number }): LoadedTask {
  const job = exampleJob(program, 1);
  const engine = new ReferenceEngine(program);
  return { job, engine, initialState: exampleState(program, 2), spec: windows } as unknown as LoadedTask;
}

describe("assessing a task before anything is staked", () => {
  it("takes windows that this machine can keep", async () => {
    const task = taskWith({ checkpointTime: HOUR, clock: 0, answerGrace: HOUR });
    const { secondsPerStep, secondsPerTracedStep } = await assessTraining(task);
    assert.ok(secondsPerStep > 0 && secondsPerTracedStep > 0);
  });

  it("refuses to defend within no time, for a solver and for a verifier", async () => {
    const task = taskWith({ checkpointTime: HOUR, clock: 0, answerGrace: 0 });
    await assert.rejects(assessDefence(task), TaskWindowError);
    await assert.rejects(assessTraining(task), /clock \+ answerGrace/);
  });

  it("refuses a clock that holds one dispute, where another of many would add less than its trace takes", async () => {
    const flooded = taskWith({ checkpointTime: HOUR, clock: HOUR, answerGrace: 0 });
    for (const assess of [assessDefence, assessTraining]) {
      await assert.rejects(
        assess(flooded),
        /gives 0 s for each further dispute \(answerGrace\); this machine may need \d+ s/,
      );
    }
  });

  it("refuses a progress clock that a segment does not fit into", async () => {
    await assert.rejects(
      assessTraining(taskWith({ checkpointTime: 0, clock: HOUR, answerGrace: 0 })),
      /checkpointTime/,
    );
  });
});

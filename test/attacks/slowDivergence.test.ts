/**
 * A requester whose run diverges, so that every step is one for the reference engine and takes hours: a program that computed it in its
 * own thread would miss the clocks of its disputes elsewhere.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EngineClosedError } from "../../shared/engine/errors.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { ReferenceThread } from "../../shared/engine/referenceThread.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const program = regressionProgram();
const job = exampleJob(program, 1, { steps: 2, interval: 1 });
const inputs = stepInputs(job, 0, exampleState(program, 1));

describe("a step for the reference engine", () => {
  it("leaves the caller's thread to its clocks, and gives the same words", async () => {
    const thread = new ReferenceThread(program);
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    try {
      assert.deepEqual(await thread.trace(inputs), await new ReferenceEngine(program).trace(inputs));
      assert.deepEqual(await thread.step(inputs), await new ReferenceEngine(program).step(inputs));
      assert.ok(turns > 0);
    } finally {
      clearInterval(clock);
      await thread.close();
    }
  });

  it("can be ended before it is done", async () => {
    const thread = new ReferenceThread(program);
    const step = assert.rejects(thread.step(inputs), EngineClosedError);
    await thread.close();
    await step;
    await assert.rejects(thread.step(inputs), EngineClosedError);
  });

  it("fails alone where its inputs do not fit, and goes on", async () => {
    const thread = new ReferenceThread(program);
    await assert.rejects(thread.step({ ...inputs, state: [] }), /reference.*State/s);
    assert.deepEqual((await thread.step(inputs)).state, (await new ReferenceEngine(program).step(inputs)).state);
    await thread.close();
  });
});

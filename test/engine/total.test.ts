import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Engine, StepReport } from "../../shared/engine/engine.ts";
import { InvalidStepError } from "../../shared/engine/errors.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { TotalEngine } from "../../shared/engine/total.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import { GUARD_LIMIT } from "../../shared/numerics/guard.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { floats } from "../helpers/operators.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const STEPS = 12;

/** Gradient descent at a rate that grows without bound: valid at first, then beyond 2^20, then not finite. */
function divergingJob(): Job {
  const job = exampleJob(regressionProgram(), 1, { steps: STEPS });
  return { ...job, schedule: floats(...Array.from({ length: STEPS }, () => 4096)) };
}

async function byReference(job: Job, start: readonly Tensor[]) {
  const reference = new ReferenceEngine(job.program);
  const guards: number[] = [];
  let state = start;
  for (let step = 0; step < STEPS; step++) {
    const result = await reference.step(stepInputs(job, step, state));
    guards.push(result.guard);
    state = result.state;
  }
  return { state, guards };
}

describe("TotalEngine", () => {
  const job = divergingJob();
  const start = exampleState(job.program, 2);
  const request = { state: start, count: STEPS, inputs: (step: number) => sourceOutputs(job, step) };

  it("goes on by the rules where a run diverges, and reports each step once", async () => {
    const expected = await byReference(job, start);
    assert.ok(expected.guards[0]! <= GUARD_LIMIT, "the first step is valid");
    assert.ok(!(expected.guards.at(-1)! <= GUARD_LIMIT), "the last one is not");
    const fast = await startOnnxRuntime(job.program);
    await assert.rejects(fast.steps(request), InvalidStepError);
    const total = new TotalEngine(fast, new ReferenceEngine(job.program));
    try {
      const reports = new Map<number, StepReport>();
      const result = await total.steps({
        ...request,
        onStep: (step, report) => {
          assert.ok(!reports.has(step), `step ${step} is reported twice`);
          reports.set(step, report);
        },
      });
      assert.deepEqual(result.state, expected.state);
      assert.deepEqual(
        [...reports].map(([step, { guard }]) => [step, guard]),
        expected.guards.map((guard, step) => [step, guard]),
      );
      assert.ok(!(result.guard <= GUARD_LIMIT));
      const last = stepInputs(job, STEPS - 1, expected.state);
      assert.deepEqual(await total.trace(last), await new ReferenceEngine(job.program).trace(last));
    } finally {
      await total.close();
    }
  });

  it("leaves valid steps to the fast engine, and its failures as they are", async () => {
    const calls: string[] = [];
    const reference = new ReferenceEngine(job.program);
    const fast = {
      name: "fast",
      description: reference.description,
      step: (inputs) => {
        calls.push("fast");
        return reference.step(inputs);
      },
      steps: () => Promise.reject(new RangeError("out of memory")),
      trace: (inputs) => reference.trace(inputs),
      close: async () => {},
    } satisfies Engine;
    const never = { step: async () => assert.fail(), trace: async () => assert.fail() };
    const total = new TotalEngine(fast, never);
    const gentle = exampleJob(regressionProgram(), 1);
    await total.step(stepInputs(gentle, 0, start));
    assert.deepEqual(calls, ["fast"]);
    await assert.rejects(total.steps(request), RangeError);
  });
});

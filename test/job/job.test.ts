import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Job,
  JobError,
  requireJob,
  sampleCount,
  segmentCount,
  segmentSteps,
  sourceOutputs,
  stepPosition,
} from "../../shared/job/job.ts";
import type { Program } from "../../shared/program/program.ts";
import { traceByElements } from "../helpers/elements.ts";
import { exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";

test("segments cover the steps without gap or overlap", () => {
  for (let steps = 1; steps <= 20; steps++)
    for (let interval = 1; interval <= 22; interval++) {
      const covered: number[] = [];
      for (let segment = 0; segment < segmentCount({ steps, interval }); segment++) {
        const { firstStep, stepCount } = segmentSteps({ steps, interval }, segment);
        assert.ok(stepCount >= 1 && stepCount <= interval);
        for (let i = 0; i < stepCount; i++) covered.push(firstStep + i);
      }
      assert.deepEqual(
        covered,
        Array.from({ length: steps }, (_, step) => step),
      );
      for (const segment of [-1, 0.5, segmentCount({ steps, interval })])
        assert.throws(() => segmentSteps({ steps, interval }, segment), JobError);
    }
});

test("source outputs are what the element rule gives, and differ between steps", () => {
  for (let seed = 0; seed < 20; seed++) {
    const program = randomProgram(seed);
    const job = exampleJob(program, seed, { samples: 50, steps: 4 });
    const first = [0, 3].map((step) => {
      const { batches, schedule } = sourceOutputs(job, step);
      const trace = traceByElements(job, step, exampleState(program, seed));
      for (const [at, tensor] of [...batches, ...schedule]) assert.deepEqual(tensor, trace[at]);
      return batches.get(0)!.words;
    });
    assert.notDeepEqual(first[0], first[1]);
  }
});

test("a batch that reads past the sample reads zeros", () => {
  const program = regressionProgram();
  const operators = program.operators.map(({ name, operator }) => ({
    name,
    operator: operator.family === "batch" ? { ...operator, offset: operator.offset + 2 } : operator,
  }));
  const past: Program = { ...program, operators };
  const job = exampleJob(past, 3);
  const trace = traceByElements(job, 1, exampleState(past, 3));
  const { batches } = sourceOutputs(job, 1);
  assert.equal(batches.size, 2);
  for (const [at, tensor] of batches) assert.deepEqual(tensor, trace[at]);
  assert.ok(batches.get(1)!.words.every((word) => word === 0));
});

test("a job whose parts do not fit is refused", () => {
  const job = exampleJob(regressionProgram(), 1);
  requireJob(job);
  const refused = (change: Partial<Job>): void => assert.throws(() => requireJob({ ...job, ...change }), JobError);
  refused({ steps: 0 });
  refused({ steps: 6 });
  refused({ interval: 0 });
  refused({ interval: 1.5 });
  refused({ seed: -1n });
  refused({ seed: 1n << 64n });
  refused({ samples: job.samples.subarray(1) });
  refused({ samples: new Uint32Array(0) });
  refused({ schedule: job.schedule.subarray(1) });
  assert.equal(sampleCount(job), 7);
  assert.throws(() => stepPosition(job, 5), JobError);
  assert.throws(() => stepPosition(job, -1), JobError);
});

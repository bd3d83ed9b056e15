import assert from "node:assert/strict";
import { test } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { state } from "../../shared/layers/leaf.ts";
import { noise } from "../../shared/layers/noise.ts";
import { noLoss } from "../../shared/program/compile/userStep.ts";
import { SourceGraph } from "../../shared/program/graph.ts";
import { type Job, stepInputs } from "../../shared/program/job.ts";
import { lower } from "../../shared/program/lower.ts";
import { requireWellFormed } from "../../shared/program/validate.ts";
import { numbers } from "../helpers/compile.ts";

const COUNT = 20_000;

/** The noise of a step. */
async function drawn(kind: "normal" | "uniform", step: number): Promise<Float32Array> {
  const graph = new SourceGraph();
  const value = state(graph, "z", [COUNT]);
  const loss = noLoss(graph);
  const next = noise(graph, [COUNT], kind, "noise");
  const fields = [{ name: "unused", dtype: 1, offset: 0, width: 1, minimum: 0, maximum: 0 } as const];
  const program = lower({ graph, state: [{ value, next }], loss, logits: loss, fields, scheduleColumns: [] });
  requireWellFormed(program);
  const job: Job = {
    program,
    samples: new Uint32Array(1),
    schedule: new Uint32Array(0),
    seed: 5n,
    steps: 9,
    interval: 9,
  };
  const before = [{ dtype: 0, shape: [COUNT], words: new Uint32Array(COUNT) } as const];
  const result = await new ReferenceEngine(program).step(stepInputs(job, step, before));
  return numbers(result.state[0]!);
}

const mean = (values: Float32Array, power: number): number =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

test("normal noise has the moments of a normal distribution, other numbers in every step", async () => {
  const [first, second] = [await drawn("normal", 0), await drawn("normal", 1)];
  for (const values of [first, second]) {
    assert.ok(Math.abs(mean(values, 1)) < 0.03);
    assert.ok(Math.abs(mean(values, 2) - 1) < 0.05);
    assert.ok(Math.abs(mean(values, 3)) < 0.1);
    assert.ok(Math.abs(mean(values, 4) - 3) < 0.3);
    const beyond = values.filter((value) => Math.abs(value) > 1.96).length / COUNT;
    assert.ok(Math.abs(beyond - 0.05) < 0.01, `${beyond} are beyond two sigma`);
  }
  const product = first.reduce((sum, value, i) => sum + value * second[i]!, 0) / COUNT;
  assert.ok(Math.abs(product) < 0.03, "steps are independent");
  assert.deepEqual(await drawn("normal", 0), first);
});

test("uniform noise fills [-1, 1)", async () => {
  const values = await drawn("uniform", 3);
  assert.ok(values.every((value) => value >= -1 && value < 1));
  assert.ok(Math.abs(mean(values, 1)) < 0.02 && Math.abs(mean(values, 2) - 1 / 3) < 0.01);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTraining } from "../../../shared/compile/compile.ts";
import { requireWellFormedJob } from "../../../shared/job/validate.ts";
import type { ClipSettings, OptimizerSettings } from "../../../shared/task/settings.ts";
import { jobOf, numbers, randomSamples, run, settings, TINY } from "../../helpers/compile.ts";
import { Random } from "../../helpers/random.ts";

/** Settings out to the ends of what a task file takes. */
function anyOptimizer(random: Random): OptimizerSettings {
  const share = (): number => random.pick([0, 1e-6, 0.1, 0.5, 0.9, 0.99, 0.9999, 0.999999, random.unit()]);
  const weightDecay = random.pick([0, 1e-7, 1e-4, 0.1, 0.999]);
  const groups = random.chance(0.5)
    ? [{ match: ["fc2.*"], weightDecay: 0.5, rate: random.pick([0, 1e-6, 0.5, 64]) }]
    : undefined;
  const common = { weightDecay, groups };
  const betas = { beta1: share(), beta2: share() };
  const epsilon = random.pick([1e-12, 1e-8, 1e-2]);
  switch (random.below(4)) {
    case 0: {
      const momentum = random.pick([0, 1e-6, 0.9, 1 - 1e-7]);
      return { kind: "sgd", momentum, nesterov: momentum > 0 && random.chance(0.5), ...common };
    }
    case 1:
      return { kind: "adam", ...betas, epsilon, ...common };
    case 2:
      return { kind: "adamw", ...betas, epsilon, ...common };
    default:
      return { kind: "lion", ...betas, ...common };
  }
}

test("every setting that a task file takes gives a well-formed program that runs", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(seed);
    const optimizer = anyOptimizer(random);
    const clip = random.pick<ClipSettings | undefined>([undefined, { norm: 1e-3 }, { norm: 1024 }, { value: 1e-6 }]);
    const peak = random.pick([1e-9, 1e-3, 1, 16]);
    const rate = { kind: "step", peak, warmup: 1, every: 1, factor: 1e-3 } as const;
    const chosen = settings(TINY, { optimizer, clip, rate, steps: 4, accumulate: random.pick([1, 2]) });
    const compiled = compileTraining(chosen);
    const job = jobOf(compiled, randomSamples(TINY, 9, seed), 4);
    requireWellFormedJob(job, compiled.initialState);
    if (peak > 1) continue;
    const state = await run(job, compiled.initialState, 2);
    for (const tensor of state) assert.ok(numbers(tensor).every(Number.isFinite), JSON.stringify(chosen.optimizer));
  }
});

/** A wrong word of any operator of a transformer's step, or of an LSTM's, convicts the defendant at that word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Run } from "../../shared/dispute/run.ts";
import type { Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import { Random } from "../helpers/random.ts";
import { type TinyJob, tinyLstm, tinyTransformer } from "../helpers/sequenceJobs.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "./play.ts";

/** Of the many operators that are alike, the default run takes every so manieth, and the first of each family. */
const EVERY = process.env.TOUCHSTONE_DEEP === "1" ? 1 : 13;
const LAST_STEP = 1;

const jobs: Record<string, () => TinyJob> = { transformer: tinyTransformer, LSTM: tinyLstm };

for (const [name, build] of Object.entries(jobs)) {
  test(`in a ${name}`, async (t) => {
    const { job, initialState } = build();
    const run = new Run(job);
    const honest = honestTracer(job);
    const mine = await evidenceOf(job, honest, initialState, 0);
    const random = new Random(31);
    const families = new Map<string, number>();
    for (const [operator, { name: called, operator: descriptor }] of job.program.operators.entries()) {
      if (operator % EVERY !== 0 && families.has(descriptor.family)) continue;
      let at = -1;
      const tracer: Tracer = {
        async trace(step, state) {
          const traced = await honest.trace(step, state);
          if (step !== LAST_STEP) return traced;
          const words = traced.outputs[operator]!.words.slice();
          if (at < 0) at = random.below(words.length);
          // A peak stays a power of two; everything else changes in a low bit.
          words[at] = descriptor.family === "peak" && descriptor.mode === 1 ? words[at]! + 0x800000 : words[at]! ^ 4;
          return rerunWithOutput(job, step, state, operator, words);
        },
      };
      const theirs = await evidenceOf(job, tracer, initialState, 0);
      const game = await play(run, subjectOf(job, 0, theirs), theirs, mine, { claimPartials: lyingPartials });
      const { position, outcome } = game.walk;
      assert.equal(outcome?.defendantConvicted, true, called);
      assert.ok(["element", "partial"].includes(outcome.reason), called);
      assert.deepEqual(
        [position.step, position.ofState, position.tensor, position.index],
        [LAST_STEP, false, operator, Math.floor(at / 64)],
        called,
      );
      families.set(descriptor.family, (families.get(descriptor.family) ?? 0) + 1);
    }
    t.diagnostic(JSON.stringify(Object.fromEntries(families)));
    assert.equal(families.size, new Set(job.program.operators.map(({ operator }) => operator.family)).size);
  });
}

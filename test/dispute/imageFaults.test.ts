/** A wrong word of any operator of a convolutional network's step convicts the defendant at that word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Run } from "../../shared/dispute/run.ts";
import type { Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import { autoencoderJob, type ImageJob, lenetJob, resnetJob } from "../helpers/imageJobs.ts";
import { Random } from "../helpers/random.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "./play.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const LAST_STEP = 1;
/** What only such networks have is always tried: windows, pools and statistics; of the rest every so manieth. */
const TYPICAL = /windows$|conv\d\.dot$|maxPool|winner|covers|won$|centred|running/;
const EVERY = DEEP ? 1 : 17;

const jobs: Record<string, () => ImageJob> = {
  LeNet: lenetJob,
  "residual network": resnetJob,
  autoencoder: autoencoderJob,
};

for (const [name, build] of Object.entries(jobs)) {
  test(`in a ${name}`, async (t) => {
    const { job, initialState } = build();
    const run = new Run(job);
    const honest = honestTracer(job);
    const mine = await evidenceOf(job, honest, initialState, 0);
    const random = new Random(33);
    const tried: string[] = [];
    const seen = new Set<string>();
    for (const [operator, { name: called, operator: descriptor }] of job.program.operators.entries()) {
      // One of a kind: layers repeat.
      const kind = TYPICAL.test(called) ? called.match(TYPICAL)![0] : null;
      const isChosen = DEEP || operator % EVERY === 0 || (kind !== null && !seen.has(kind));
      if (!isChosen) continue;
      if (kind !== null) seen.add(kind);
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
      tried.push(called);
    }
    t.diagnostic(tried.join(", "));
    assert.ok(seen.size >= 3, [...seen].join());
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { NoDifferenceError } from "../../shared/dispute/challenger.ts";
import { Run } from "../../shared/dispute/run.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "./play.ts";
import { smallInitialState, smallJob } from "./smallJob.ts";

test("an honest challenger says so when there is no case", async () => {
  const job = smallJob({ steps: 7, interval: 4 });
  const own = await evidenceOf(job, honestTracer(job), smallInitialState(), 0);
  await assert.rejects(play(new Run(job), subjectOf(job, 0, own), own, own), NoDifferenceError);
});

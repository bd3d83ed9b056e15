/** A solver goes on from what it can believe, and notices when its machine has changed. */
import assert from "node:assert/strict";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { RunChangedError, SolverRun } from "../../solver/run.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";

const task = loadedSmallTask();
const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
const store = new DirectoryStore(folder);
const { checkpoints, states } = await honestCheckpoints(task, store);
after(() => rm(folder, { recursive: true }));

function startRun(): { readonly run: SolverRun; readonly steps: number[] } {
  const steps: number[] = [];
  const signal = new AbortController().signal;
  return { run: new SolverRun(task, store, { cheat: null, onStep: (step) => steps.push(step), signal }), steps };
}

test("training gives the honest checkpoints", async () => {
  const { run, steps } = startRun();
  for (let segment = 0; segment < checkpoints.length; segment++) {
    const state = await run.train(segment, await run.before(segment, []));
    assert.equal(stateRoot(state), checkpoints[segment]!.stateRoot);
  }
  assert.deepEqual(steps, [...steps.keys()]);
  assert.equal(steps.length, task.job.steps);
});

test("the evidence of any segment ends in its checkpoint", async () => {
  const { run } = startRun();
  for (const segment of [3, 0, 2, 1]) {
    const evidence = await run.evidence(segment, checkpoints);
    assert.equal(evidence.endRoot, checkpoints[segment]!.stateRoot);
    assert.equal(evidence.startRoot, stateRoot(states[segment]!));
  }
});

test("a truncated checkpoint is trained again from the one before", async () => {
  const { locator } = checkpoints[2]!;
  const file = path.join(folder, locator.slice(2, 4), locator.slice(2));
  await truncate(file, 64);
  const { run, steps } = startRun();
  assert.equal(stateRoot(await run.before(3, checkpoints)), checkpoints[2]!.stateRoot);
  assert.deepEqual(steps, [6, 7, 8]);
});

test("a machine that computes other bits than it has committed says so", async () => {
  const wrong = checkpoints.with(0, { stateRoot: `0x${"34".repeat(32)}`, locator: checkpoints[0]!.locator });
  await assert.rejects(startRun().run.before(1, wrong), RunChangedError);
});

/** A verifier replays from what it can believe, whatever the store holds. */
import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, beforeEach, test } from "node:test";
import { digestPosition, digestTree } from "../../shared/commitment/digest.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { tileBytes, tileHash } from "../../shared/commitment/tile.ts";
import { segmentSteps, stepInputs } from "../../shared/job/job.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { BookedCheckpoint } from "../../shared/service/marketBook.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { EarlierFaultError, Replayer } from "../../verifier/replayer.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";

const task = loadedSmallTask();
const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
const store = new DirectoryStore(folder);
after(() => rm(folder, { recursive: true }));

let checkpoints: BookedCheckpoint[];
const fileOf = ({ locator }: BookedCheckpoint): string => path.join(folder, locator.slice(2, 4), locator.slice(2));

beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  ({ checkpoints } = await honestCheckpoints(task, store));
});

test("an honest segment replays equal, from its own checkpoint", async () => {
  const replayer = new Replayer(task, store, () => checkpoints);
  assert.equal((await replayer.replay(2)).verdict, "equal");
  assert.equal(stateRoot(await replayer.before(2)), checkpoints[1]!.stateRoot);
});

test("missing, truncated, replaced and garbage checkpoints are computed again from the beginning", async () => {
  await rm(fileOf(checkpoints[0]!));
  await truncate(fileOf(checkpoints[1]!), 100);
  await writeFile(fileOf(checkpoints[2]!), "garbage");
  const swapped = checkpoints.with(1, { ...checkpoints[1]!, locator: checkpoints[3]!.locator });
  for (const published of [checkpoints, swapped]) {
    const replayer = new Replayer(task, store, () => published);
    assert.equal((await replayer.replay(3)).verdict, "equal");
    assert.equal(stateRoot(await replayer.before(3)), checkpoints[2]!.stateRoot);
  }
});

test("a wrong checkpoint is different; a later segment that cannot be reached names it", async () => {
  const wrong = { stateRoot: `0x${"12".repeat(32)}`, locator: checkpoints[1]!.locator } as const;
  const published = checkpoints.with(1, wrong);
  const replayer = new Replayer(task, store, () => published);
  assert.equal((await replayer.replay(1)).verdict, "different");
  await assert.rejects(replayer.replay(2), (error) => error instanceof EarlierFaultError && error.segment === 1);
});

test("digests are those of the states on the way", async () => {
  const beacon = `0x${"b3".repeat(32)}` as const;
  const verifiers = [
    "0x00000000000000000000000000000000000000a1",
    "0x00000000000000000000000000000000000000a2",
  ] as const;
  const replayer = new Replayer(task, store, () => checkpoints);
  const { digests } = await replayer.replay(1, { digests: { beacon, verifiers } });
  const { firstStep, stepCount } = segmentSteps(task.job, 1);
  const counts = task.job.program.state.map(({ shape }) => wordCount(shape));
  for (const verifier of verifiers) {
    const leaves: `0x${string}`[] = [];
    let state = await replayer.before(1);
    for (let step = 0; step < stepCount; step++) {
      ({ state } = await task.engine.step(stepInputs(task.job, firstStep + step, state)));
      const { tensor, tile } = digestPosition(beacon, verifier, step, counts);
      leaves.push(tileHash(tileBytes(state[tensor]!.words, tile)));
    }
    assert.equal(digests.get(verifier), digestTree(leaves).root);
  }
  assert.notEqual(digests.get(verifiers[0]), digests.get(verifiers[1]));
});

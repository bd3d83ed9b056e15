/**
 * A requester whose package is as heavy to read and to check as packages may be: a verifier that did so in the thread of its clocks would miss those
 * of its disputes elsewhere.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { putTaskPackage } from "../../shared/data/taskPackage.ts";
import { MOST_VALUES } from "../../shared/hostileJson.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { loadInThread, PackageHeavyError, PackageRefusedError } from "../../shared/service/loadThread.ts";
import { contentIdOf } from "../../shared/store/contentId.ts";
import { StoreMissingError } from "../../shared/store/errors.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const program = regressionProgram();
const job = exampleJob(program, 1, { steps: 4, interval: 2 });
const initialState = exampleState(program, 1);
const training = commitTraining(job, initialState);

const kept = new Map<ContentId, Uint8Array>();
const store = {
  location: "memory",
  async get(id: ContentId) {
    const bytes = kept.get(id);
    if (bytes === undefined) throw new StoreMissingError(id, "memory");
    return bytes;
  },
  async put(bytes: Uint8Array) {
    kept.set(contentIdOf(bytes), bytes);
    return contentIdOf(bytes);
  },
} as unknown as Store;

describe("a package that is slow to check", () => {
  let manifest: ContentId;
  before(async () => {
    manifest = await putTaskPackage(store, { name: "slow", job, initialState });
  });

  it("leaves the caller's thread to its clocks, and is the one that was put", async () => {
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    try {
      for (const _ of [1, 2]) assert.deepEqual(await loadInThread(store, manifest, training), { job, initialState });
    } finally {
      clearInterval(clock);
    }
    assert.ok(turns > 0);
  });

  it("is given up beyond a limit of time, and the next one is read", async () => {
    const limits = { milliseconds: 1, heapMegabytes: 256 };
    await assert.rejects(loadInThread(store, manifest, training, undefined, limits), PackageHeavyError);
    assert.deepEqual(await loadInThread(store, manifest, training), { job, initialState });
  });

  it("is given up beyond a limit of memory, and this process lives on", async () => {
    const zeros = `[${"0,".repeat(MOST_VALUES - 100)}0]`;
    const heavy = new TextEncoder().encode(`{"classes":{"a":${zeros}}}`);
    const limits = { milliseconds: 60_000, heapMegabytes: 48 };
    const loading = loadInThread(store, await store.put(heavy), training, undefined, limits);
    await assert.rejects(loading, (error) => error instanceof PackageHeavyError && /48 MB/.test(error.message));
    assert.deepEqual(await loadInThread(store, manifest, training), { job, initialState });
  });

  it("is refused by the name and in the words of what is wrong with it", async () => {
    const other = { ...training, seed: training.seed + 1n, steps: 6 };
    await assert.rejects(loadInThread(store, manifest, other), (error) => {
      assert.ok(error instanceof PackageRefusedError && error.code === "JOB", String(error));
      return true;
    });
    const root = { ...training, data: { ...training.data, datasetRoot: training.initialStateRoot } };
    await assert.rejects(loadInThread(store, manifest, root), (error) => {
      assert.ok(error instanceof PackageRefusedError && error.code === "TASK_PACKAGE");
      assert.match(error.message, /data\.datasetRoot.* Do not work on this task/);
      assert.equal(error.message.split(error.remedy!).length, 2);
      return true;
    });
  });

  it("is left where the store fails or the program ends meanwhile", async () => {
    const missing = "ab".repeat(32) as ContentId;
    await assert.rejects(loadInThread(store, missing, training), StoreMissingError);
    const stop = new AbortController();
    const never = { get: () => new Promise<never>(() => undefined) };
    const loading = assert.rejects(loadInThread(never, manifest, training, stop.signal), /over/);
    stop.abort(new Error("over"));
    await loading;
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { SafetensorsError, writeSafetensors } from "../../shared/data/safetensors.ts";
import { getTaskPackage, putTaskPackage, TaskPackageError } from "../../shared/data/taskPackage.ts";
import { HostileJsonError, MOST_VALUES } from "../../shared/hostileJson.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { StoreMissingError } from "../../shared/store/errors.ts";
import type { Store } from "../../shared/store/store.ts";
import { embeddingProgram, exampleJob, exampleState } from "../helpers/programs.ts";

describe("a task's package", () => {
  const program = embeddingProgram();
  const job = exampleJob(program, 1);
  const initialState = exampleState(program, 2);
  const training = commitTraining(job, initialState);
  const described = {
    tokenizer: { kind: "characters", vocabulary: ["?", "a"] },
    classes: { target: ["no", "yes"] },
  } as const;
  const taskPackage = { name: "tiny", job, initialState, ...described };
  let folder: string;
  let store: Store;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    store = new DirectoryStore(folder);
  });
  after(() => rm(folder, { recursive: true }));

  it("is read back whole", async () => {
    assert.deepEqual(await getTaskPackage(store, await putTaskPackage(store, taskPackage), training), taskPackage);
    const json = { ...taskPackage, tokenizer: { kind: "json", source: '{"model": "ü"}' } } as const;
    assert.deepEqual(await getTaskPackage(store, await putTaskPackage(store, json), training), json);
    const bare = { name: "bare", job, initialState };
    const read = await getTaskPackage(store, await putTaskPackage(store, bare), training);
    assert.deepEqual(read, { ...bare, tokenizer: undefined, classes: undefined });
  });

  it("is refused when it is not what the task binds, naming what differs", async () => {
    const id = await putTaskPackage(store, taskPackage);
    const otherData = { ...training, data: { ...training.data, datasetRoot: training.initialStateRoot } };
    await assert.rejects(
      getTaskPackage(store, id, otherData),
      (error) => error instanceof TaskPackageError && /data\.datasetRoot/.test(error.message),
    );
    const otherProgram = { ...training, program: { ...training.program, operatorCount: 1 } };
    await assert.rejects(getTaskPackage(store, id, otherProgram), /program\.operatorCount/);
  });

  it("is not written where nobody would read it", async () => {
    const vocabulary = new Array<string>(MOST_VALUES).fill("x");
    const long = { ...taskPackage, tokenizer: { kind: "characters", vocabulary } } as const;
    await assert.rejects(putTaskPackage(store, long), HostileJsonError);
    const name = "x".repeat(2 ** 24);
    const tensor = { name, dtype: 0 as const, shape: [1], words: Uint32Array.of(0) };
    assert.throws(() => writeSafetensors([tensor]), SafetensorsError);
  });

  it("is refused when the manifest is no manifest or a file is missing", async () => {
    await assert.rejects(
      getTaskPackage(store, await store.put(new TextEncoder().encode("{}")), training),
      TaskPackageError,
    );
    const elsewhere = new DirectoryStore(path.join(folder, "elsewhere"));
    const id = await putTaskPackage(store, taskPackage);
    await elsewhere.put(await store.get(id));
    await assert.rejects(getTaskPackage(elsewhere, id, training), StoreMissingError);
  });
});

/** A trainer commits every checkpoint of a run, in order and after training it once, whatever fails in between. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { ContractRevertError } from "../../shared/chain/errors.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { Journal } from "../../shared/service/journal.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { Trainer, type TrainerParts } from "../../solver/trainer.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";

const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
after(() => rm(folder, { recursive: true }));
const honest = loadedSmallTask();
const segments = segmentCount(honest.job);
const { checkpoints } = await honestCheckpoints(honest, new DirectoryStore(path.join(folder, "honest")));

type Append = readonly [taskId: string, segment: number, root: string, locator: string];

/**
 * A trainer on a store and a chain of one task that fail as told.
 * @param refusedPuts ordinals of what the store refuses. @param send sees every transaction; what it throws is the sender's.
 */
function trainerOf(name: string, refusedPuts: readonly number[], send: (include: () => void) => void = (i) => i()) {
  const trained: number[] = [];
  const engine: Engine = Object.assign(Object.create(honest.engine), {
    steps: (request: Parameters<Engine["steps"]>[0]) => {
      trained.push(request.count);
      return honest.engine.steps(request);
    },
  });
  const store = new DirectoryStore(path.join(folder, name));
  let puts = 0;
  const put = store.put.bind(store);
  store.put = async (bytes) => {
    if (refusedPuts.includes(puts++)) throw new Error("the store is down");
    return put(bytes);
  };
  const appended: Append[] = [];
  const problems: unknown[] = [];
  const task = { ...honest, engine };
  const journal = Journal.open(path.join(folder, `${name}.journal`), name);
  // SAFETY: of chain and watch nothing else is reached.
  const parts = {
    context: {
      store,
      deployment: { market: "0x00" },
      chain: { client: { readContract: async () => ({ committed: appended.length, finalAt: 0 }) } },
      sender: { send: async ({ args }: { args: Append }) => send(() => appended.push(args)) },
      output: {
        json: true,
        event: (event: string, fields: object) => event === "problem" && problems.push(fields),
        note() {},
      },
    },
    watch: { until: async () => {}, book: { tasks: new Map([[task.taskId, { checkpoints: [] }]]) } },
    journal,
    task,
    signal: new AbortController().signal,
    cheat: null,
  } as unknown as TrainerParts;
  after(() => journal.close());
  return { trainer: new Trainer(parts), trained, appended, problems };
}

const whole = checkpoints.map(({ stateRoot, locator }, segment) => [honest.taskId, segment, stateRoot, locator]);
const once = [3, 3, 3, 1];

test("a store that refuses one checkpoint costs no step", async () => {
  for (const refused of [0, segments - 1]) {
    const { trainer, trained, appended, problems } = trainerOf(`refusing ${refused}`, [refused]);
    await trainer.train();
    assert.deepEqual([trained, appended], [once, whole]);
    assert.equal(problems.length, 1);
    assert.ok(trainer.isDone);
  }
});

test("a transaction that is included although its sender fails is not sent again", async () => {
  let failures = 1;
  const { trainer, trained, appended, problems } = trainerOf("deaf", [], (include) => {
    include();
    if (failures-- > 0) throw new Error("no answer");
  });
  await trainer.train();
  assert.deepEqual([trained, appended, problems], [once, whole, []]);
});

test("what the contract refuses ends training", async () => {
  const { trainer, trained } = trainerOf("refused", [], () => {
    throw new ContractRevertError("appendCheckpoint", { errorName: "TaskStatusWrong" });
  });
  await assert.rejects(trainer.train(), ContractRevertError);
  assert.ok(trained.length <= 2);
});

/** An inference as a task on a real chain: honest outputs settle and are fetched, one wrong digit of one output costs the bond. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fetchModel } from "../../requester/fetchModel.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import { readSafetensors } from "../../shared/data/safetensors.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, segmentCount, stepInputs } from "../../shared/job/job.ts";
import { cheatByName } from "../../solver/cheats/catalogue.ts";
import { work as solve } from "../../solver/service.ts";
import { replaySegment } from "../../verifier/replay.ts";
import { challenge } from "../../verifier/single.ts";
import { randomSamples, settings, TINY } from "../helpers/compile.ts";
import { Stage, TERMS } from "./stage.ts";

const [BATCH, COUNT, STEPS] = [4, 10, 3];

const { model, fields } = settings(TINY);
const { program, initialState, schedule } = compileTraining({
  kind: "inference",
  model,
  fields,
  batch: BATCH,
  steps: STEPS,
});
const samples = randomSamples(TINY, COUNT, 6);
const job: Job = { program, samples, schedule: schedule.words, seed: 0n, steps: STEPS, interval: 1 };
const taskPackage = { name: "inference", job, initialState };

let stage: Stage;
before(async () => {
  stage = await Stage.build();
});
after(async () => {
  await stage?.close();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("an honest inference settles, and its outputs are fetched for every sample", async () => {
  const taskId = await stage.post(await stage.account(), taskPackage);
  const context = stage.context("solver", await stage.account());
  const solving = solve(context, { task: taskId, once: true });
  await until(() => context.events.some(({ event }) => event === "trained"));
  const { finalAt } = await stage.chain.client.readContract({ ...stage.market, functionName: "task", args: [taskId] });
  await stage.advancePast(finalAt);
  assert.equal(await solving, 0);

  const { safetensors } = await fetchModel(stage.chain, stage.deployment, stage.store, taskId);
  const [output, ...others] = readSafetensors(safetensors).tensors;
  assert.equal(others.length, 0);
  assert.deepEqual(output!.shape, [COUNT, TINY.vocabulary]);
  const engine = new ReferenceEngine(program);
  const words: number[] = [];
  let state = initialState;
  for (let step = 0; step < STEPS; step++) {
    ({ state } = await engine.step(stepInputs(job, step, state)));
    words.push(...state[0]!.words);
  }
  assert.deepEqual([...output!.words], words.slice(0, COUNT * TINY.vocabulary));
});

test("a solver whose outputs are a digit off is convicted", async () => {
  const taskId = await stage.post(await stage.account(), taskPackage);
  const context = stage.context("cheat", await stage.account());
  const solving = solve(context, {
    task: taskId,
    once: true,
    cheat: { cheat: cheatByName("activation-ulp"), seed: 3n },
  });
  await until(() => context.events.some(({ event }) => event === "trained"));
  const segment = await faultOf(taskId);
  const verifier = stage.context("verifier", await stage.account());
  assert.equal(await challenge(verifier, { task: taskId, segment, fromBlock: 0n }), 0);
  assert.equal(await solving, 3);
  const lost = 10_000n * 10n ** 18n - (await stage.tokens(context.sender.address));
  assert.equal(lost, TERMS.solverBond);
});

/** The first committed segment that does not replay. */
async function faultOf(taskId: `0x${string}`): Promise<number> {
  const engine = new ReferenceEngine(program);
  let state = initialState;
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const { end, endRoot } = await replaySegment(job, engine, state, segment);
    const args = [taskId, segment] as const;
    const { stateRoot } = await stage.chain.client.readContract({ ...stage.market, functionName: "segmentOf", args });
    if (stateRoot !== endRoot) return segment;
    state = end;
  }
  assert.fail("every segment replays");
}

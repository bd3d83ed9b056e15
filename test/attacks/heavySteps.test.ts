/**
 * A requester whose steps ask for as many batches, random numbers and hashes as descriptors can: whoever replays makes them itself, in the thread
 * that keeps the clocks of its disputes elsewhere.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stateRoot, stateRootInTurns } from "../../shared/commitment/stateRoot.ts";
import { tensorRoot } from "../../shared/commitment/tensorRoot.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { type Job, sourceOutputs, sourceOutputsInTurns, stepPosition } from "../../shared/job/job.ts";
import { validate } from "../../shared/job/validate.ts";
import { randomWord } from "../../shared/numerics/philox.ts";
import { batchElement } from "../../shared/operators/batch.ts";
import { randomElement } from "../../shared/operators/random.ts";
import type { BatchOperator, Operator, RandomOperator } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";
import { assessDefence, assessTraining, TaskWindowError } from "../../shared/service/assess.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

const base = regressionProgram();

function withSources(operators: readonly Operator[]): Program {
  const named = operators.map((operator, at) => ({ name: `heavy${at}`, operator }));
  return { ...base, operators: [...base.operators, ...named] };
}

/** Turns that others had while something was done. */
async function turnsDuring<T>(work: () => T | Promise<T>): Promise<{ readonly result: T; readonly turns: number }> {
  let turns = 0;
  const clock = setInterval(() => turns++, 0);
  try {
    return { result: await work(), turns };
  } finally {
    clearInterval(clock);
  }
}

const random = (words: number, dtype: 0 | 1): RandomOperator => {
  return { family: "random", dtype, shape: [words], stream: 7, operands: [] };
};

describe("a step that is heavy to feed", () => {
  it("leaves turns to others while millions of random numbers are made, and makes the same ones", async () => {
    const program = withSources([random(2 ** 21 + 5, 1), random(2 ** 16 + 3, 0)]);
    const job = exampleJob(program, 1, { steps: 4, interval: 2 });
    const { result, turns } = await turnsDuring(() => sourceOutputsInTurns(job, 3));
    assert.ok(turns > 0);
    assert.equal(result.random?.size, 2);
    assert.deepEqual(result, sourceOutputs(job, 3));
    for (const [at, { words }] of result.random!) {
      const operator = program.operators[at]!.operator as RandomOperator;
      for (const element of [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 16 + 1, words.length - 1]) {
        assert.equal(words[element], randomElement(operator, element, stepPosition(job, 3)));
      }
      if (operator.dtype === 1) assert.equal(words[2 ** 20], randomWord(job.seed, 3, 7, 2 ** 20));
    }
  });

  it("has batches of more epochs than anyone has patience for, whose rows are looked up in turns", async () => {
    const { words } = base.sample;
    const batch = (rows: number, order: BatchOperator["order"]): BatchOperator => {
      return { family: "batch", dtype: 0, shape: [rows, 1], offset: 0, order, operands: [] };
    };
    const operators = (["permutation", "replacement", "sequential"] as const).flatMap((order) => [
      batch(2 ** 15 + 1, order),
      batch(2 ** 15 + 1, order),
      batch(3, order),
    ]);
    for (const samples of [1, 2, 3]) {
      const plain = exampleJob(withSources(operators), 1, { steps: 4, interval: 2 });
      const job: Job = { ...plain, samples: plain.samples.slice(0, samples * words) };
      const position = stepPosition(job, 2);
      const { result, turns } = await turnsDuring(async () => sourceOutputsInTurns(job, 2));
      assert.ok(turns > 0);
      for (const [at, tensor] of result.batches) {
        const operator = job.program.operators[at]!.operator as BatchOperator;
        const read = (row: number, address: number): number => job.samples[row * words + address]!;
        for (const element of [0, 1, 2, tensor.words.length - 1]) {
          assert.equal(tensor.words[element], batchElement(operator, element, read, position), operator.order);
        }
      }
    }
  });

  it("is refused where it makes more than 2^28 words", () => {
    const said = (operators: readonly Operator[]) =>
      validate(withSources(operators)).filter(({ message }) => message.includes("of batches and random numbers"));
    const own = base.operators.reduce(
      (sum, { operator: { family, shape } }) => (family === "batch" ? sum + shape.reduce((a, b) => a * b, 1) : sum),
      0,
    );
    assert.deepEqual(said([random(2 ** 27, 0), random(2 ** 27 - own, 1)]), []);
    assert.equal(said([random(2 ** 27, 0), random(2 ** 27 - own + 1, 1)]).length, 1);
    assert.equal(said([random(2 ** 30, 0)]).length, 1);
  });
});

describe("a step that leaves much to hash", () => {
  it("is hashed in turns, to the same roots", async () => {
    const seeded = new Random(3);
    const sizes = [1, 63, 64, 65, 2 ** 16 - 1, 2 ** 16, 2 ** 16 + 1, 2 ** 18 + 64, 2 ** 19 + 100, 2 ** 20 + 2 ** 16];
    const tensors = sizes.map((size) => new Uint32Array(size).map(() => seeded.below(2 ** 31)));
    const { result, turns } = await turnsDuring(() => TensorsTree.inTurns(tensors));
    assert.ok(turns > 0);
    assert.deepEqual(result.tensorRoots, tensors.map(tensorRoot));
    assert.equal(result.root, new TensorsTree(tensors).root);
    assert.deepEqual(result.tileProof(7, 4000), new TensorsTree(tensors).tileProof(7, 4000));
    const state = tensors.map((words) => ({ dtype: 1 as const, shape: [words.length], words }));
    assert.equal(await stateRootInTurns(state), stateRoot(state));
  });
});

describe("a step that takes for ever", () => {
  it("is not waited for longer than its task's windows are", async () => {
    const job = exampleJob(base, 1);
    const never = () => new Promise<never>(() => undefined);
    const task = {
      job,
      engine: { step: never, trace: never },
      initialState: exampleState(base, 1),
      spec: { checkpointTime: 0, clock: 0, answerGrace: 0 },
    };
    const patience = { least: 0.05 };
    await assert.rejects(assessTraining(task, patience), TaskWindowError);
    await assert.rejects(assessDefence(task, patience), TaskWindowError);
  });
});

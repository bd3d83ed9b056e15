/**
 * Families that compute nothing, through the real contracts: a solver that lies in one element of a Join, of a Random or of a batch in any
 * order of samples is convicted at that element.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { accuse } from "../../shared/dispute/challenger.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { Run } from "../../shared/dispute/run.ts";
import type { Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import { deployArena, networkHelpers, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask } from "../contracts/support/task.ts";
import { evidenceOf, honestTracer } from "../dispute/play.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { playGame } from "./gameOnChain.ts";

const job = smallJob({ steps: 4, interval: 4 });
const run = new Run(job);
const initial = smallInitialState();
const training = commitTraining(job, initial);
const STEP = 2;

/** By operator of the small program, elements to lie in. */
const LIES: Readonly<Record<string, readonly number[]>> = {
  // Orders of samples: permutation, replacement, sequential.
  token: [3],
  x: [200],
  bias: [7],
  // A zero in front, a word of x, a zero between, the bias, a zero behind.
  input: [0, 60, 150 + 146, 2 * 150 + 148, 1199],
  draw: [0, 1199],
};

test("one wrong word of a copy, of a random number or of a sample is convicted where it is", async () => {
  const arena = await deployArena();
  const taskId = await startTask(arena, specOf(training, { clock: 36_000 }));
  assert.equal(segmentCount(job), 1);
  const honest = honestTracer(job);
  const mine = await evidenceOf(job, honest, initial, 0);
  const accepted = await networkHelpers.takeSnapshot();
  for (const [name, elements] of Object.entries(LIES)) {
    const operator = job.program.operators.findIndex((each) => each.name === name);
    for (const element of elements) {
      const lying: Tracer = {
        async trace(step, state) {
          const traced = await honest.trace(step, state);
          if (step !== STEP) return traced;
          const { words } = traced.outputs[operator]!;
          const wrong = name === "token" ? (words[element]! + 1) % 20 : words[element]! ^ 0x3f000000;
          return rerunWithOutput(job, step, state, operator, words.with(element, wrong));
        },
      };
      const theirs = await evidenceOf(job, lying, initial, 0);
      await append(arena, taskId, 0, stateRoot((await theirs.step(theirs.stepCount - 1)).state));
      const game = await playGame(
        arena,
        {
          defendant: { wallet: wallets.solver, move: (walk) => defend(run, theirs, walk) },
          challenger: { wallet: wallets.challenger, move: (walk) => accuse(run, mine, walk) },
        },
        taskId,
        0,
        training,
      );
      const where = `${name}[${element}]`;
      assert.deepEqual(game.walk.outcome, { defendantConvicted: true, reason: "element" }, where);
      const { step, tensor, index, ofState } = game.walk.position;
      assert.deepEqual([step, tensor, index, ofState], [STEP, operator, Math.floor(element / 64), false], where);
      assert.equal(game.deciding.functionName, "adjudicate", where);
      await accepted.restore();
    }
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "../../shared/program/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { deployArena, networkHelpers, wallets } from "./support/arena.ts";
import { claimSegment, type Lie } from "./support/claimed.ts";
import { Dispute, Reason } from "./support/player.ts";
import { append, challenge, endRoot, specOf, startTask, trainingOf } from "./support/task.ts";

async function disputeSolver(job: Job, initial: readonly Tensor[], lie: Lie) {
  const arena = await networkHelpers.loadFixture(deployArena);
  const training = trainingOf(job, initial);
  const taskId = await startTask(arena, specOf(training));
  const start = initial.map(({ words }) => words);
  const honest = await claimSegment(job, 0, start);
  const claimed = await claimSegment(job, 0, start, lie);
  await append(arena, taskId, 0, endRoot(claimed));
  const { disputeId, subject } = await challenge(arena, taskId, 0, wallets.solver, training);
  const defendant = { wallet: wallets.solver, claimed };
  const challenger = { wallet: wallets.challenger, claimed: honest };
  const moves: string[] = [];
  const onMove = (move: string, gas: bigint): void => void moves.push(`${move} ${gas}`);
  const dispute = new Dispute({ game: arena.game, disputeId, subject, defendant, challenger, onMove });
  await dispute.play();
  return dispute.outcome();
}

describe("the walk", () => {
  it("convicts a wrong word", async () => {
    const program = regressionProgram();
    const job = exampleJob(program, 1);
    const initial = exampleState(program, 1);
    const outcome = await disputeSolver(job, initial, {
      outputs: (step, outputs) => {
        if (step === 1) outputs[5]![1]! ^= 1;
      },
    });
    assert.deepEqual(outcome, { defendantConvicted: true, reason: Reason.element });
  });
});

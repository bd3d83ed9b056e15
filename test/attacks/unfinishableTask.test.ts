/** A requester who posts what cannot be finished (a run that must diverge, say) to live on the bonds of those who try. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { by, deployArena, networkHelpers, time, wallets } from "../contracts/support/arena.ts";
import { specOf, startTask, TERMS, trainingOf } from "../contracts/support/task.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const program = regressionProgram();
const training = trainingOf(exampleJob(program, 1, { steps: 4, interval: 2 }), exampleState(program, 1));

describe("a task that cannot be finished", () => {
  it("earns its requester nothing but its own escrow", async () => {
    const a = await networkHelpers.loadFixture(deployArena);
    const { market, token } = a;
    const requester = wallets.requester.account.address;
    const before = await token.read.balanceOf([requester]);
    const taskId = await startTask(a, specOf(training));
    await time.increase(TERMS.checkpointTime + 1);
    await market.write.expire([taskId], by(wallets.requester));
    await market.write.withdraw([requester], by(wallets.requester));
    assert.equal(await token.read.balanceOf([requester]), before);
    assert.equal(await market.read.credit([wallets.solver.account.address]), (TERMS.solverBond * 3n) / 4n);
  });
});

/** Burying a defendant under disputes that cost nothing, to win its bond (or a verifier's stake) by the first clock that runs out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { by, deployArena, networkHelpers, SEAT_STAKE, viem, wallets } from "../contracts/support/arena.ts";
import { append, challenge, post, specOf, startTask, trainingOf } from "../contracts/support/task.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const program = regressionProgram();
const training = trainingOf(exampleJob(program, 1, { steps: 1, interval: 1 }), exampleState(program, 1));
const arena = () => networkHelpers.loadFixture(deployArena);

describe("a swarm of disputes", () => {
  it("cannot be cheap against what it may win, nor leave no time to answer each", async () => {
    const a = await arena();
    const refused = async (field: string, terms: Parameters<typeof specOf>[1]) =>
      viem.assertions.revertWithCustomErrorWithArgs(
        a.market.write.post([specOf(training, terms)], by(wallets.requester)),
        a.market,
        "SpecInvalid",
        [field],
      );
    await refused("challengerBond", { challengerBond: 1n });
    // A task worth nothing, whose verifiers' seats are the prize.
    const trap = { price: 0n, solverBond: 4n, challengerBond: 1n };
    await refused("challengerBond", trap);
    await refused("answerGrace", { answerGrace: 0 });
    // Nobody but the solver, who chose these terms, can be challenged on this one.
    await post(a, specOf(training, { ...trap, draws: 0 }));
  });

  it("stakes more than it can win from the twentieth dispute on, at the least bond", async () => {
    const a = await arena();
    const terms = { price: 0n, solverBond: SEAT_STAKE, challengerBond: SEAT_STAKE / 64n };
    const taskId = await startTask(a, specOf(training, terms));
    await append(a, taskId, 0, `0x${"22".repeat(32)}`);
    const { address } = a.market;
    let staked = await a.token.read.balanceOf([address]);
    const before = staked;
    for (let n = 1; n <= 20; n++) {
      const { disputeId } = await challenge(a, taskId, 0, wallets.solver, training, wallets.stranger);
      const { clock } = await a.game.read.dispute([disputeId]);
      assert.ok(clock.defendant >= 300 + 60 * n);
    }
    staked = (await a.token.read.balanceOf([address])) - before;
    assert.ok(staked > 3n * SEAT_STAKE);
  });
});

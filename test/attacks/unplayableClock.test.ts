/** Terms under which nobody can answer in time: whoever stakes on such a task is convicted of having been asked. */
import { describe, it } from "node:test";
import { by, deployArena, networkHelpers, viem, wallets } from "../contracts/support/arena.ts";
import { specOf, trainingOf } from "../contracts/support/task.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";

const program = regressionProgram();
const training = trainingOf(exampleJob(program, 1, { steps: 1, interval: 1 }), exampleState(program, 1));

describe("a clock that is over before the next block", () => {
  it("cannot be posted, so neither bond nor seat stake can be won by asking", async () => {
    const { market } = await networkHelpers.loadFixture(deployArena);
    const post = (clock: number) =>
      market.write.post([specOf(training, { clock, answerGrace: 60 })], by(wallets.requester));
    for (const clock of [1, 12, 299])
      await viem.assertions.revertWithCustomErrorWithArgs(post(clock), market, "SpecInvalid", ["clock"]);
    await post(300);
  });
});

/** Runs that leave the numbers behind (infinities, NaN): the rules still say what every word is, and nobody is convicted for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { by, deployArena, networkHelpers, time, wallets } from "../contracts/support/arena.ts";
import { randomPlace } from "../contracts/support/lies.ts";
import { Level } from "../contracts/support/player.ts";
import { disputeSolver } from "../contracts/support/scene.ts";
import { TERMS } from "../contracts/support/task.ts";
import { wideProgram } from "../contracts/support/wide.ts";
import { floats } from "../helpers/operators.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

const arena = () => networkHelpers.loadFixture(deployArena);

/** A state of numbers far beyond the guard, some of them none. */
function divergedExample(seed: number) {
  const program = seed % 2 === 0 ? wideProgram() : regressionProgram();
  const job = exampleJob(program, seed, { steps: 4, interval: 2 });
  const random = new Random(seed ^ 0xd17e);
  const wild = () => random.pick([1e38, -3e38, 2 ** 21, Number.POSITIVE_INFINITY, Number.NaN, 1e-40, -(2 ** -149), 0]);
  const initial = exampleState(program, seed).map((tensor) =>
    tensor.dtype === 0 ? { ...tensor, words: tensor.words.map(() => floats(wild())[0]!) } : tensor,
  );
  return { job, initial };
}

describe("a run that diverged", () => {
  it("convicts nobody who followed the rules", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const random = new Random(seed ^ 0x0a11);
      const { dispute } = await disputeSolver({ arena: await arena(), ...divergedExample(seed), random });
      await dispute.play();
      assert.equal((await dispute.outcome()).defendantConvicted, false, `seed ${seed}`);
    }
  });

  it("hides no lie", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const random = new Random(seed ^ 0x11e5);
      const { job, initial } = divergedExample(seed);
      const { step, operator, element } = randomPlace(job, random, 2);
      const flip = 1 << random.below(32);
      const lie = {
        outputs: (at: number, outputs: Uint32Array[]) => {
          if (at === step) outputs[operator]![element]! ^= flip;
        },
      };
      const a = await arena();
      const { dispute, disputeId } = await disputeSolver({ arena: a, job, initial, lie });
      // No parts add up to the word: the liar has no move left there.
      await dispute.play(({ level }, turn) => level === Level.partials && turn === 0);
      if ((await dispute.state()).walk.level === Level.partials) {
        await time.increase(TERMS.clock + TERMS.answerGrace);
        await a.game.write.claimTimeout([disputeId], by(wallets.stranger));
      }
      assert.equal((await dispute.outcome()).defendantConvicted, true, `seed ${seed}`);
    }
  });
});

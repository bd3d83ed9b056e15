/** Guards of the game whose loss no other quick test would notice (`npm run test:mutation`). */
import { describe, it } from "node:test";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { by, deployArena, networkHelpers, viem, wallets } from "./support/arena.ts";
import { lieAbout } from "./support/lies.ts";
import { Level } from "./support/player.ts";
import { disputeSolver } from "./support/scene.ts";
import { wideProgram } from "./support/wide.ts";

const { revertWithCustomError } = viem.assertions;
const wide = {
  job: exampleJob(wideProgram(), 1, { steps: 5, interval: 3 }),
  initial: exampleState(wideProgram(), 1),
};

async function dotDispute() {
  const arena = await networkHelpers.loadFixture(deployArena);
  const operator = wide.job.program.operators.findIndex(({ name }) => name === "weight.gradient");
  const scene = await disputeSolver({ arena, ...wide, ...lieAbout(wide.job, new Random(2), 1, operator, 4) });
  return { arena, operator, ...scene };
}

describe("the game", () => {
  it("takes a claim of partial results by the descriptor of the disputed operator alone", async () => {
    const { arena, dispute, disputeId, subject, operator } = await dotDispute();
    const { game } = arena;
    await dispute.play((walk, turn) => walk.level === Level.partials && turn === 0);
    const [, args] = dispute.defence((await dispute.state()).walk);
    const [, , own, exponent, values] = args as Parameters<typeof game.write.claimPartials>[0];
    const other = dispute.descriptorOf(operator - 1, false);
    const mixed = { descriptor: other.descriptor, siblings: own.siblings };
    for (const descriptor of [other, mixed]) {
      const claim = [disputeId, subject, descriptor, exponent, values] as const;
      const attempt = game.write.claimPartials([...claim], by(wallets.solver));
      await revertWithCustomError(attempt, game, "TreeProofMismatch");
    }
    await game.write.claimPartials([disputeId, subject, own, exponent, values], by(wallets.solver));
  });

  it("opens a dispute once under a name, and segments up to the longest that a tree of 32 bits holds", async () => {
    const { arena, subject } = await dotDispute();
    const { game } = arena;
    const market = by(wallets.stranger);
    const { address: challenger } = wallets.challenger.account;
    await game.write.openDispute([subject, challenger, 7n, 600, 600], market);
    const again = game.write.openDispute([subject, challenger, 7n, 600, 600], market);
    await revertWithCustomError(again, game, "DisputeRepeated");
    await game.write.openDispute([subject, challenger, 8n, 600, 600], market);

    const longest = 2 ** 31 - 1;
    const long = (stepCount: number) => ({
      ...subject,
      firstStep: 0,
      stepCount,
      training: { ...subject.training, steps: 2 ** 32 - 1 },
    });
    await game.write.openDispute([long(longest), challenger, 9n, 600, 600], market);
    const tooLong = game.write.openDispute([long(longest + 1), challenger, 10n, 600, 600], market);
    await revertWithCustomError(tooLong, game, "DisputeParameters");
  });
});

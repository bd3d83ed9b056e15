/** Disputes about steps of a convolutional network, through the deployed contracts: whatever word is false, the contract finds it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lenetJob, resnetJob } from "../helpers/imageJobs.ts";
import { Random } from "../helpers/random.ts";
import { deployArena, networkHelpers } from "./support/arena.ts";
import { lieAbout } from "./support/lies.ts";
import { Reason } from "./support/player.ts";
import { disputeSolver } from "./support/scene.ts";

const PLACES: readonly (readonly [job: typeof lenetJob, operator: string])[] = [
  [lenetJob, "0.windows"],
  [lenetJob, "3.dot"],
  [lenetJob, "3.maxPool"],
  [lenetJob, "3.weight.grad"],
  [lenetJob, "0.maxPool.grad"],
  [lenetJob, "0.maxPool.grad.windows"],
  [lenetJob, "3.relu.grad.won"],
  [resnetJob, "4.shortcut.0.dot"],
  [resnetJob, "1.normal.squares"],
  [resnetJob, "4.bn2.running_var.next"],
];

describe("a false word of a convolutional network's step is convicted", () => {
  for (const [build, name] of PLACES) {
    it(`in ${name}`, async () => {
      const { job, initialState } = build();
      const operator = job.program.operators.findIndex((named) => named.name === name);
      assert.ok(operator >= 0, job.program.operators.map((named) => named.name).join());
      const { shape } = job.program.operators[operator]!.operator;
      const element = new Random(operator).below(shape.reduce((a, b) => a * b));
      const told = lieAbout(job, new Random(7), 1, operator, element);
      const arena = await networkHelpers.loadFixture(deployArena);
      const { dispute } = await disputeSolver({ arena, job, initial: [...initialState], segment: 0, ...told });
      await dispute.play();
      const { defendantConvicted, reason } = await dispute.outcome();
      assert.equal(defendantConvicted, true);
      assert.ok(reason === Reason.element || reason === Reason.partial, `${reason}`);
    });
  }
});

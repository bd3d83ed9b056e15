/** What the requester's programs say of a task's terms, against what the contract does with them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxUint256 } from "viem";
import { requireMarketRules, violations } from "../../requester/marketRules.ts";
import { type TaskFile, TaskFileError } from "../../shared/task/task.ts";
import { by, deployArena, networkHelpers, SEAT_STAKE, wallets } from "../contracts/support/arena.ts";
import { specOf, TERMS, trainingOf } from "../contracts/support/task.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

const program = regressionProgram();
const training = trainingOf(exampleJob(program, 1, { steps: 5, interval: 3 }), exampleState(program, 1));
type Terms = TaskFile["market"];

/** Values around every bound that a rule has. */
const AROUND: Readonly<Record<string, readonly (bigint | number)[]>> = {
  price: [0n, 1n, TERMS.price, TERMS.price + 1n],
  solverBond: [0n, 4n, 2n * TERMS.price - 1n, 2n * TERMS.price, 4n * SEAT_STAKE, 64n * SEAT_STAKE],
  challengerBond: [0n, 1n, SEAT_STAKE / 64n - 1n, SEAT_STAKE / 64n, TERMS.solverBond / 4n, TERMS.solverBond / 4n + 1n],
  verifierFee: [0n, SEAT_STAKE / 64n, SEAT_STAKE / 64n + 1n],
  draws: [0, 1, 32, 33],
  beaconDelay: [0, 1, 255],
  checkpointTime: [0, 1],
  replayTime: [0, 1, 3_000, 3_001],
  sealWindow: [0, 1, 1_000, 1_001],
  revealWindow: [0, 1, 1_000, 1_001],
  challengeWindow: [0, 4_999, 5_000, 60 * 86_400, 60 * 86_400 + 1],
  clock: [299, 300],
  answerGrace: [59, 60],
};

describe("the market's rules in words", () => {
  it("are those of the contract, in its order", async () => {
    const { market, token } = await networkHelpers.loadFixture(deployArena);
    await token.write.approve([market.address, maxUint256], by(wallets.requester));
    const random = new Random(41);
    const counts = new Map<string, number>();
    for (let round = 0; round < 160; round++) {
      const changes: Record<string, bigint | number> = {};
      const fields = Object.keys(AROUND);
      for (let n = 1 + random.below(2); n > 0; n--) {
        const field = fields[(round + n * random.below(fields.length)) % fields.length]!;
        changes[field] = AROUND[field]![random.below(AROUND[field]!.length)]!;
      }
      const spec = specOf(training, changes as Partial<typeof TERMS>);
      const refused = await market.simulate.post([spec], by(wallets.requester)).then(
        () => null,
        (error: Error) => /SpecInvalid\(string field\)\s+\((\w+)\)/.exec(error.message)?.[1] ?? error.message,
      );
      const found = violations(spec as unknown as Terms, SEAT_STAKE);
      const said = found[0]?.field ?? null;
      assert.equal(
        said,
        refused,
        JSON.stringify(changes, (_, value) => String(value)),
      );
      counts.set(String(said), (counts.get(String(said)) ?? 0) + 1);
    }
    assert.ok(counts.size >= 11, `only ${[...counts.keys()]}`);
  });

  it("say the numbers, and what a plan cannot know is left out", () => {
    const terms = {
      ...TERMS,
      solverBond: 199n,
      price: 100n,
      challengerBond: 40n,
      challengeWindow: 4_999,
    } as unknown as Terms;
    const problems = violations(terms, null).map(({ field, problem }) => `${field}: ${problem}`);
    assert.deepEqual(problems, [
      "solverBond: 199 is less than twice the price, 200",
      "challengeWindow: 4999 s are less than sealWindow + revealWindow + replayTime, 5000 s",
    ]);
    assert.throws(
      () => requireMarketRules({ market: terms } as TaskFile, SEAT_STAKE),
      (error) => error instanceof TaskFileError && error.path === "$.market.solverBond",
    );
  });
});

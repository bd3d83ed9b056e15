/** What the solver inside the compiler proves at once; the rest is `npm run test:smt`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prove } from "./prove.ts";

describe("the model checker", () => {
  for (const [contract, least] of [
    ["PayoutProof", 16],
    ["TileProof", 7],
    ["WalkProof", 3],
  ] as const) {
    it(`proves every target of ${contract}`, () => {
      const { proved, unproved, refuted } = prove(contract, "builtIn");
      assert.deepEqual([unproved, refuted], [[], []]);
      assert.ok(proved >= least, `${proved} targets`);
    });
  }
});

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { planTask } from "../../requester/plan.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { lintModel } from "../../shared/compile/lint.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";

describe("planTask", () => {
  it("reads escrow and detection off the task file, and measures the rest", async () => {
    const prepared = await prepareTask("examples/solidity-mlp/task.json");
    const { market } = prepared.task;
    const plan = await planTask(prepared, { honest: 0.5, threads: 1 });
    assert.equal(plan.segments, 8);
    assert.equal(plan.escrow, market.price + market.verifierFee * 16n);
    assert.equal(plan.replayed, 0.75);
    assert.ok(plan.caughtHalf > plan.replayed && plan.caughtHalf < 1);
    // One honest draw in four misses: p · bond / 2 ≥ (1 − p) · price.
    assert.equal(plan.deterrentBond! / 10n ** 18n, 66n);
    assert.deepEqual([plan.violations, plan.warnings, plan.statistics], [[], [], 0]);
    const { parameters } = lintModel(decodeModel(await readFile("examples/solidity-mlp/forward.onnx")));
    const words = parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    assert.equal(
      plan.parameters,
      words.reduce((a, b) => a + b),
      "a model has as many parameters by `lint`",
    );
    assert.ok(plan.stepMs > 0 && plan.commitmentMs > 0);
    assert.ok(plan.checkpointBytes > 3 * 4 * plan.parameters);
  });

  it("promises nothing where nothing is sampled", async () => {
    const prepared = await prepareTask("examples/solidity-mlp/task.json");
    const task = { ...prepared.task, market: { ...prepared.task.market, sampleRate: 0, clock: 299 } };
    const plan = await planTask({ ...prepared, task }, { honest: 1, threads: 1 });
    assert.deepEqual(plan.violations, [{ field: "clock", problem: "299 s are less than 300 s" }]);
    assert.deepEqual([plan.replayed, plan.caughtHalf, plan.deterrentBond], [0, 0, null]);
  });
});

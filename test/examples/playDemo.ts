/** The demo of an example as the command line plays it, from an empty folder, and what it must come to. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { runDemo } from "../../requester/demo/demo.ts";
import { prepareExample, typicalCheat } from "../../requester/demo/examples.ts";
import { createReporter } from "../../requester/demo/reporter.ts";

/** The examples in two halves, so that a deep run can be resumed between them. */
export const OF_TEXT: readonly string[] = ["gpt", "llama", "lora", "lstm", "solidity-mlp"];
export const OF_NUMBERS: readonly string[] = ["digits-cnn", "gan", "gru", "inference", "resnet", "step"];

const SEED = 2026;
/** Of the examples that have no typical one. */
const CHEAT = "activation-ulp";

/** An honest run that settles and beats its baseline, a false accuser and a cheat that are convicted: `runDemo` throws otherwise. */
export async function playDemo(t: TestContext, example: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), `demo-${example}-`));
  const started = performance.now();
  try {
    const cheat = typicalCheat(example) ?? CHEAT;
    const reporter = createReporter(() => undefined, true);
    const options = { chain: "hardhat", taskFile: prepareExample(example), cheat, seed: SEED, folder } as const;
    const { honest, falseAccusation, cheat: cheated } = await runDemo(options, reporter);
    assert.ok(honest.baseline !== null && honest.heldOutLoss < honest.baseline.loss);
    assert.equal(falseAccusation.transcript.defendantConvicted, false);
    assert.equal(cheated.transcript.defendantConvicted, true);
    const { located, injected } = cheated;
    assert.ok(located !== null);
    for (const [key, value] of Object.entries(located)) assert.equal(injected[key], value, key);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    t.diagnostic(
      `${honest.measure} ${honest.heldOutLoss.toFixed(3)}, ${honest.baseline.name} ${honest.baseline.loss.toFixed(3)}; ` +
        `${cheat} at ${located.operator}, ${cheated.transcript.totalGas} gas; ${seconds} s`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

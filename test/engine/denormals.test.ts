import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { DenormalRoots } from "./denormalRoots.ts";

const SUBNORMAL = Math.round(2 ** -140 / 2 ** -149);

async function rootsOf(how: "flush" | "keep"): Promise<DenormalRoots> {
  const script = path.join(import.meta.dirname, "denormalRoots.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, how], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as DenormalRoots;
}

test("every example reaches the same bits where the engine takes subnormals for zero", async () => {
  const kept = await rootsOf("keep");
  const flushed = await rootsOf("flush");
  assert.equal(kept.product, SUBNORMAL);
  assert.equal(flushed.product, 0, "the engine takes subnormals for zero");
  assert.ok(Object.keys(kept.runs).some((name) => name.startsWith("solidity-mlp")));
  assert.deepEqual(flushed.runs, kept.runs);
  for (const [name, run] of Object.entries(kept.runs)) {
    assert.deepEqual(run, kept.runs[name.replace("float32 digits", "float64")], name);
  }
});

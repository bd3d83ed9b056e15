import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { MemoryResult } from "../../bench/memory.ts";

const MAIN = path.join(import.meta.dirname, "../../bench/main.ts");

test("memory trains, commits and has a lie about one operator decided", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "memory", "--small", "--json"]);
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as MemoryResult;
  assert.equal(result.steps, 3);
  assert.match(result.root, /^0x[0-9a-f]{64}$/);
  assert.ok(result.peakMiB.disputed >= result.peakMiB.trained && result.peakMiB.trained > 0);
  assert.equal(JSON.parse(result.outcome).defendantConvicted, true);
  assert.match(result.disputed, /dot$/);
});

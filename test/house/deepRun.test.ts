/** The deep run by part: what passed is not run again, and what fails is named. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const SCRIPT = path.resolve(import.meta.dirname, "../../scripts/deepRun.ts");
const PART = "test/keys.test.ts";

function deepRun(...argv: string[]) {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...argv, "--json"], {
    encoding: "utf8",
    env,
  });
  return { status, report: stdout === "" ? null : JSON.parse(stdout), stderr };
}

test("a part that passed on these sources is not run again", () => {
  deepRun(PART);
  const { status, report, stderr } = deepRun(PART);
  assert.match(stderr, /^1 parts, 1 of them passed before on these sources\n/);
  assert.equal(status, 0);
  assert.deepEqual([report.parts, report.tests, report.pass, report.failed], [1, 4, 4, []]);
});

test("words that choose no part are refused", () => {
  const { status, report, stderr } = deepRun("no such part");
  assert.deepEqual([status, report], [2, null]);
  assert.match(stderr, /^no part's name holds no such part: /);
});

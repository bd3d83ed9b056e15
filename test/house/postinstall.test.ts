/** What an installation says where it cannot work, on a folder that lacks what the platform would have brought. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const SCRIPT = path.resolve(import.meta.dirname, "../../scripts/postinstall.mjs");

test("an unsupported platform is told so in one sentence", (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "touchstone-platform-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, "scripts"));
  const script = path.join(folder, "scripts", "postinstall.mjs");
  copyFileSync(SCRIPT, script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^touchstone: unsupported platform [^\n]+ is installed\.\n$/);
});

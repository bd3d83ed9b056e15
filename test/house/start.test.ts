import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { VERSION } from "../../shared/cli.ts";

const root = path.resolve(import.meta.dirname, "../..");
const run = (folder: string, ...args: string[]) =>
  spawnSync(process.execPath, [path.join(folder, "scripts/start.mjs"), ...args], { encoding: "utf8", cwd: folder });

describe("starting a program", () => {
  const bare = mkdtempSync(path.join(os.tmpdir(), "touchstone-start-"));
  after(() => rmSync(bare, { recursive: true }));

  it("says in a sentence that the packages are missing", () => {
    mkdirSync(path.join(bare, "scripts"));
    copyFileSync(path.join(root, "scripts/start.mjs"), path.join(bare, "scripts/start.mjs"));
    const { status, stdout, stderr } = run(bare, "requester/cli.ts", "plan", "task.json");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^touchstone: [^\n]*`npm ci`[^\n]*\n$/);
  });

  it("hands the arguments on, to programs that know their version", () => {
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
    assert.equal(VERSION, version);
    for (const program of ["requester", "solver", "verifier"]) {
      const { status, stdout } = run(root, `${program}/cli.ts`, "--version");
      assert.deepEqual([status, stdout], [0, `${version}\n`], program);
    }
  });
});

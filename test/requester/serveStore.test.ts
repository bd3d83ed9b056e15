import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { CommanderError } from "commander";
import { ProgramProcess } from "../../requester/demo/programProcess.ts";
import { parsePort } from "../../shared/programOptions.ts";
import { StoreMissingError } from "../../shared/store/errors.ts";
import { openStore } from "../../shared/store/open.ts";

describe("touchstone serve-store", () => {
  it("shares a directory, takes uploads with the token alone, and ends in order", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    // A port that nobody else is likely to hold; the test fails by the program's own message if somebody does.
    const args = ["serve-store", folder, "--port", String(20_000 + (process.pid % 20_000))];
    const server = new ProgramProcess("store", "requester", args, { TOUCHSTONE_STORE_TOKEN: "secret" });
    try {
      const { url } = await server.waitFor("listening", ({ event }) => event === "serving");
      const bytes = new TextEncoder().encode("weights");
      const id = await openStore(url as string, { token: "secret" }).put(bytes);
      assert.deepEqual(await openStore(folder).get(id), bytes);
      const stranger = openStore(url as string);
      assert.deepEqual(await stranger.get(id), bytes);
      await assert.rejects(stranger.put(new TextEncoder().encode("junk")), /401/);
      await assert.rejects(stranger.get("0".repeat(64) as typeof id), StoreMissingError);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
    assert.equal(await server.ended, 0);
  });

  it("refuses a port that is none, as a wrong call", () => {
    for (const port of ["0", "65536", "99999", "http", "1e3", ""]) assert.throws(() => parsePort(port), CommanderError);
    assert.deepEqual([parsePort("1"), parsePort("65535")], [1, 65535]);
    const args = ["requester/cli.ts", "serve-store", tmpdir(), "--port", "99999", "--json"];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 2);
    assert.equal(JSON.parse(stdout).error.code, "USAGE");
  });
});

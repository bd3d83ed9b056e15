import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { hasLocalChain } from "../../requester/localChain/start.ts";
import { readSafetensors } from "../../shared/data/safetensors.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const CATALOGUE = [
  "weight-bit",
  "activation-ulp",
  "skipped-step",
  "wrong-batch",
  "stale-optimizer",
  "wrong-rate",
  "reused-checkpoint",
  "random-weights",
  "trace-mismatch",
  "padding",
  "silent-segment",
  "silent-opening",
  "silent-partial",
  "silent-tile",
  "wrong-random",
  "wrong-constant",
  "wrong-gate",
  "stale-statistics",
  "stale-adapter",
  "wrong-output",
];

async function demo(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ["requester/cli.ts", "demo", ...args], {
    cwd: ROOT,
    maxBuffer: 2 ** 24,
  });
  return stdout.trimEnd().split("\n");
}

describe("demo --list-cheats", () => {
  it("lists the whole catalogue, for people and for programs", async () => {
    const listed = JSON.parse((await demo("--list-cheats", "--json")).at(-1)!) as { name: string; summary: string }[];
    assert.deepEqual(
      listed.map(({ name }) => name),
      CATALOGUE,
    );
    assert.ok(listed.every(({ summary }) => summary.length > 10));
    assert.equal((await demo("--list-cheats")).length, CATALOGUE.length);
  });

  it("refuses a cheat, an example, a seed and a chain that it does not know", async () => {
    const failsWith = (code: number) => (error: unknown) => (error as { code: number }).code === code;
    await assert.rejects(demo("--cheat", "bribery"), failsWith(1));
    await assert.rejects(demo("--example", "perpetuum-mobile"), failsWith(1));
    await assert.rejects(demo("--seed", "-1"), failsWith(2));
    await assert.rejects(demo("--chain", "nowhere"), failsWith(2));
  });
});

describe("the demo on anvil, a second node", () => {
  const absent = hasLocalChain("anvil") ? false : "anvil's platform package is not installed here";

  it("settles an honest run, convicts a cheat where it cheated, and a false accuser", { skip: absent }, async () => {
    const lines = await demo("--chain", "anvil", "--cheat", "weight-bit", "--seed", "7", "--json");
    assert.equal(lines.length, 1);
    const { seed, honest, cheat, falseAccusation, seconds } = JSON.parse(lines[0]!);
    assert.equal(seed, 7);
    assert.equal(honest.settled, true);
    assert.ok(honest.heldOutLoss < honest.bigramLoss);
    assert.ok(honest.finalLoss > 0 && honest.parameters >= 100_000 && honest.steps > 0);
    assert.equal(cheat.name, "weight-bit");
    assert.equal(cheat.convicted, "solver");
    assert.ok(["element", "store"].includes(cheat.reason));
    const { segment, step, operator, tile, element, expectedBits, claimedBits } = cheat.located;
    assert.deepEqual(cheat.injected, { ...cheat.injected, segment, step, operator, tile, element });
    assert.match(expectedBits, /^0x[0-9a-f]{8}$/);
    assert.match(claimedBits, /^0x[0-9a-f]{8}$/);
    assert.notEqual(expectedBits, claimedBits);
    assert.ok(cheat.rounds > 0 && cheat.transactions > cheat.rounds);
    assert.ok(cheat.gas.adjudicate > 21_000 && cheat.gas.total > cheat.gas.adjudicate);
    assert.deepEqual(falseAccusation, { convicted: "challenger" });
    assert.deepEqual(Object.keys(seconds), ["install", "compile", "demo"]);
    const { tensors } = readSafetensors(await readFile(path.join(ROOT, ".touchstone/demo/model.safetensors")));
    assert.equal(
      tensors.reduce((sum, { words }) => sum + words.length, 0),
      honest.parameters,
    );
  });
});

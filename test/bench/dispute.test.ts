import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { PlayedDispute } from "../../bench/dispute.ts";

const MAIN = path.join(import.meta.dirname, "../../bench/main.ts");

test("dispute plays whole disputes and counts every transaction", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "dispute", "--small", "--json"]);
  const { disputes } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as { disputes: PlayedDispute[] };
  assert.equal(disputes.length, 2);
  for (const { rounds, transactions, gas, moves } of disputes) {
    const sum = (counts: object) => Object.values(counts).reduce((total: number, count: number) => total + count, 0);
    assert.equal(sum(gas.byMove), gas.total);
    assert.equal(sum(moves), transactions);
    assert.deepEqual(Object.keys(moves), Object.keys(gas.byMove));
    assert.equal(moves.challenge, 1);
    assert.equal(gas.byMove.adjudicate, gas.adjudicate);
    // After the challenge both sides move in turn.
    assert.equal(transactions, 1 + 2 * rounds);
  }
  const [least, more] = disputes;
  assert.ok(least!.log2Operations < more!.log2Operations && least!.gas.total < more!.gas.total);
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { GOAL, type PlayedDispute, playDispute, SIZES } from "../../bench/dispute.ts";
import { connection } from "../contracts/support/arena.ts";

const MAIN = path.join(import.meta.dirname, "../../bench/main.ts");

after(() => connection.close());

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

test("a dispute over 2^50 scalar operations keeps to its goals", async () => {
  const size = SIZES.find(({ name }) => name === "a thousand operators")!;
  const { log2Operations, rounds, gas } = await playDispute(size);
  assert.equal(log2Operations, GOAL.log2Operations);
  assert.ok(rounds <= GOAL.rounds, `${rounds} rounds`);
  assert.ok(gas.total <= GOAL.gas, `${gas.total} gas: ${JSON.stringify(gas.byMove)}`);
  assert.ok(gas.adjudicate <= 300_000, `the adjudication costs ${gas.adjudicate}`);
});

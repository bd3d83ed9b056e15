/** The cheat matrix: every kind of lie, about everything that there is to lie about, is convicted where it was told. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Convicted, convict } from "./play.ts";
import { PROGRAMS } from "./rows.ts";
import { keyOf, lineOf, type PlayedRow, TABLE, tableOf } from "./table.ts";
import { FAMILIES } from "./words.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const UPDATE = DEEP && process.env.TOUCHSTONE_UPDATE_SNAPSHOTS === "1";

test("every liar of the matrix is convicted at its first wrong element", async (t) => {
  const programs: { name: string; played: (PlayedRow & { ended: Convicted })[] }[] = [];
  const keys: string[] = [];
  // One after the other: both are on one chain, and each goes back to its own beginning.
  for (const { name, open, rows } of PROGRAMS) {
    const stage = await open();
    const played: (PlayedRow & { ended: Convicted })[] = [];
    for (const row of rows(stage)) {
      keys.push(keyOf(row));
      if (!DEEP && !row.isQuick) continue;
      const cheat = row.cheat(stage);
      const ended = await convict(stage, cheat).catch((error: unknown) => {
        throw new Error(`${keyOf(row)} of ${name}`, { cause: error });
      });
      played.push({ row, ended });
    }
    programs.push({ name, played });
  }
  const all = programs.flatMap(({ played }) => played);
  const gas = all.map(({ ended }) => Number(ended.gas)).sort((a, b) => a - b);
  const moves = all.map(({ ended }) => ended.transactions).sort((a, b) => a - b);
  t.diagnostic(`${all.length} of ${keys.length} runs; at most ${moves.at(-1)} transactions and ${gas.at(-1)} gas,`);
  t.diagnostic(`in the median ${moves[all.length >> 1]} and ${gas[all.length >> 1]}`);

  assert.equal(new Set(keys).size, keys.length, "rows that do not differ");
  assert(keys.length >= 300 && all.length >= 40);
  for (const family of FAMILIES)
    assert(
      all.some(({ row }) => row.about === family),
      family,
    );
  const silences = keys.filter((key) => key.startsWith("| silence |"));
  assert.equal(all.filter(({ row }) => row.lie === "silence").length, silences.length);

  if (UPDATE) writeFileSync(TABLE, tableOf(programs));
  const table = readFileSync(TABLE, "utf8");
  if (DEEP) assert.equal(table, tableOf(programs));
  const lines = table.split("\n");
  for (const key of keys)
    assert(
      lines.some((line) => line.startsWith(key)),
      `${TABLE} lacks ${key}`,
    );
  for (const played of all)
    assert(lines.includes(lineOf(played)), `${TABLE} says something else than ${lineOf(played)}`);
});

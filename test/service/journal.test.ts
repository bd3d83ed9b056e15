import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { Journal, JournalError } from "../../shared/service/journal.ts";

const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
after(() => rm(folder, { recursive: true }));

test("a journal keeps its values across openings", () => {
  const place = path.join(folder, "kept/deep");
  const first = Journal.open(place, "solver 0xa on 1");
  first.set("task", "0x12");
  first.set("seal:2", { salt: "0x1" });
  first.set("seal:1", { salt: "0x2" });
  first.set("task", "0x34");
  first.close();
  const second = Journal.open(place, "solver 0xa on 1");
  assert.equal(second.get("task"), "0x34");
  assert.equal(second.get("nothing"), undefined);
  assert.deepEqual(second.entries("seal:"), [
    ["seal:1", { salt: "0x2" }],
    ["seal:2", { salt: "0x1" }],
  ]);
  second.close();
});

test("a journal that is open is refused to a second program", () => {
  const place = path.join(folder, "open");
  const first = Journal.open(place, "x");
  assert.throws(() => Journal.open(place, "x"), JournalError);
  first.close();
  Journal.open(place, "x").close();
});

test("a journal of another account and a damaged one are refused", async () => {
  const place = path.join(folder, "owned");
  Journal.open(place, "solver 0xa on 1").close();
  assert.throws(() => Journal.open(place, "solver 0xb on 1"), JournalError);
  const damaged = path.join(folder, "damaged");
  Journal.open(damaged, "x").close();
  await writeFile(
    path.join(damaged, "journal.sqlite"),
    "not a database at all, but long enough to look like one".repeat(20),
  );
  assert.throws(() => Journal.open(damaged, "x"), JournalError);
});

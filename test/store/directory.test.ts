import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { parseContentId } from "../../shared/store/contentId.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import {
  ContentIdError,
  StoreCorruptError,
  StoreMissingError,
  StoreTooLargeError,
  StoreUnreachableError,
} from "../../shared/store/errors.ts";
import type { ContentId } from "../../shared/store/store.ts";
import { Random } from "../helpers/random.ts";
import { randomBytes } from "../helpers/randomBytes.ts";

const base = await mkdtemp(path.join(os.tmpdir(), "touchstone-store-"));
after(() => rm(base, { recursive: true, force: true }));
let stores = 0;
const freshStore = (options = {}) => new DirectoryStore(path.join(base, String(stores++)), options);
const fileOf = (store: DirectoryStore, id: string) => path.join(store.location, id.slice(0, 2), id);
const content = randomBytes(new Random(1), 5000);
const ABSENT = "0".repeat(64) as ContentId;

describe("DirectoryStore", () => {
  it("returns what was put, under its SHA-256", async () => {
    const store = freshStore();
    for (const bytes of [content, new Uint8Array(0), content.subarray(7, 1000)]) {
      const id = await store.put(bytes);
      assert.equal(id, createHash("sha256").update(bytes).digest("hex"));
      assert.deepEqual(await store.get(id), new Uint8Array(bytes));
      assert.equal(await store.has(id), true);
    }
    assert.equal(await store.has(ABSENT), false);
  });

  it("leaves nothing but the content behind, also when many put the same", async () => {
    const store = freshStore();
    const ids = await Promise.all(Array.from({ length: 8 }, () => store.put(content)));
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(await readdir(path.dirname(fileOf(store, ids[0]!))), [ids[0]]);
  });

  it("says what is missing", async () => {
    const store = freshStore();
    await store.put(content);
    await assert.rejects(store.get(ABSENT), (error: StoreMissingError) => {
      assert.ok(error instanceof StoreMissingError);
      assert.equal(error.id, ABSENT);
      assert.equal(error.code, "STORE_MISSING");
      return true;
    });
  });

  it("says that the whole directory is missing", async () => {
    await assert.rejects(freshStore().get(ABSENT), StoreUnreachableError);
  });

  it("never returns changed, truncated or extended bytes", async () => {
    const store = freshStore();
    const id = await store.put(content);
    const file = fileOf(store, id);
    const flipped = content.slice();
    flipped[2500]! ^= 1;
    await writeFile(file, flipped);
    await assert.rejects(store.get(id), StoreCorruptError);
    await writeFile(file, content);
    await truncate(file, 4999);
    await assert.rejects(store.get(id), StoreCorruptError);
    await writeFile(file, Buffer.concat([content, Buffer.alloc(1)]));
    await assert.rejects(store.get(id), StoreCorruptError);
    await writeFile(file, "");
    await assert.rejects(store.get(id), StoreCorruptError);
  });

  it("is healed by putting the content again", async () => {
    const store = freshStore();
    const id = await store.put(content);
    await truncate(fileOf(store, id), 10);
    assert.equal(await store.put(content), id);
    assert.deepEqual(await store.get(id), content);
  });

  it("refuses something that is not a file", async () => {
    const store = freshStore();
    await mkdir(fileOf(store, ABSENT), { recursive: true });
    await assert.rejects(store.get(ABSENT), StoreCorruptError);
    assert.equal(await store.has(ABSENT), false);
  });

  it("refuses ids that are not ids, whatever file they lead to", async () => {
    const store = freshStore();
    await store.put(content);
    await writeFile(path.join(base, "secret"), "secret");
    for (const id of [
      "../secret",
      "../../secret",
      "",
      ".",
      "A".repeat(64),
      "a".repeat(63),
      `${"a".repeat(64)}\n`,
      null,
    ]) {
      await assert.rejects(store.get(id as ContentId), ContentIdError, String(id));
      await assert.rejects(store.has(id as ContentId), ContentIdError);
      assert.throws(() => parseContentId(id), ContentIdError);
    }
  });

  it("respects its limit in both directions", async () => {
    const store = freshStore({ maximumBytes: 4999 });
    await assert.rejects(store.put(content), StoreTooLargeError);
    const generous = new DirectoryStore(store.location);
    const id = await generous.put(content);
    await assert.rejects(store.get(id), StoreTooLargeError);
  });

  it("says that it cannot be written, and leaves the obstacle alone", async () => {
    const file = path.join(base, "file");
    await writeFile(file, "here first");
    const store = new DirectoryStore(file);
    await assert.rejects(store.put(content), StoreUnreachableError);
    await assert.rejects(store.get(ABSENT), StoreUnreachableError);
    assert.equal(await readFile(file, "utf8"), "here first");
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Keystore } from "ox";
import { KeyInvalidError, KeyMissingError, loadKey } from "../shared/keys.ts";

const KEY = `0x${"0a".repeat(32)}` as const;

describe("loadKey", () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("reads the environment, with or without 0x", async () => {
    assert.equal(await loadKey(undefined, { TOUCHSTONE_KEY: KEY }), KEY);
    assert.equal(await loadKey(undefined, { TOUCHSTONE_KEY: KEY.slice(2).toUpperCase() }), KEY);
  });

  it("prefers a file with a hex key", async () => {
    await writeFile(file("hex"), `${KEY}\n`);
    assert.equal(await loadKey(file("hex"), { TOUCHSTONE_KEY: "wrong" }), KEY);
  });

  it("decrypts a keystore with the password", async () => {
    const [key, options] = Keystore.pbkdf2({ password: "secret", iterations: 1000 });
    await writeFile(file("keystore"), JSON.stringify(Keystore.encrypt(KEY, key, options)));
    assert.equal(await loadKey(file("keystore"), { TOUCHSTONE_PASSWORD: "secret" }), KEY);
    for (const password of ["wrong", undefined]) {
      await assert.rejects(loadKey(file("keystore"), { TOUCHSTONE_PASSWORD: password }), KeyInvalidError);
    }
  });

  it("refuses none, malformed ones and numbers that are no key, without telling them", async () => {
    await assert.rejects(loadKey(undefined, {}), KeyMissingError);
    await assert.rejects(loadKey(file("absent"), {}), KeyInvalidError);
    for (const key of ["12", `${KEY}00`, "0".repeat(64), "f".repeat(64)]) {
      await assert.rejects(
        loadKey(undefined, { TOUCHSTONE_KEY: key }),
        (error) => error instanceof KeyInvalidError && !error.message.includes(key),
      );
    }
  });
});

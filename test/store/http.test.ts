import assert from "node:assert/strict";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { createServer, get, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { contentIdOf } from "../../shared/store/contentId.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import {
  ContentIdError,
  StoreCorruptError,
  StoreLocationError,
  StoreMissingError,
  StoreTooLargeError,
  StoreUnreachableError,
} from "../../shared/store/errors.ts";
import { HttpStore } from "../../shared/store/http.ts";
import { openStore } from "../../shared/store/open.ts";
import { type ServeStoreOptions, serveStore } from "../../shared/store/serve.ts";
import type { ContentId } from "../../shared/store/store.ts";
import { Random } from "../helpers/random.ts";
import { randomBytes } from "../helpers/randomBytes.ts";

const base = await mkdtemp(path.join(os.tmpdir(), "touchstone-http-"));
const closing: (() => Promise<void>)[] = [() => rm(base, { recursive: true, force: true })];
after(() => Promise.all(closing.map((close) => close())));

const content = randomBytes(new Random(2), 100_000);
const id = contentIdOf(content);
const ABSENT = "0".repeat(64) as ContentId;
let stores = 0;

async function served(options: ServeStoreOptions = {}) {
  const directory = new DirectoryStore(path.join(base, String(stores++)));
  const server = await serveStore(directory, options);
  closing.push(server.close);
  return { directory, url: server.url };
}

/** A server that answers as it is told. */
async function misbehaving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The status for a path that nobody has normalised. */
function rawStatus(url: string, target: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: new URL(url).port, path: target }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

describe("HttpStore and serveStore", () => {
  it("share a directory with other machines", async () => {
    const { directory, url } = await served();
    const store = new HttpStore(`${url}/`);
    assert.equal(await store.has(id), false);
    assert.equal(await store.put(content), id);
    assert.equal(await store.has(id), true);
    assert.deepEqual(await store.get(id), content);
    assert.deepEqual(await directory.get(id), content);
    const empty = await store.put(new Uint8Array(0));
    assert.deepEqual(await store.get(empty), new Uint8Array(0));
  });

  it("say what is missing", async () => {
    const { directory, url } = await served();
    await assert.rejects(new HttpStore(url).get(ABSENT), StoreMissingError);
    await directory.put(content);
    await assert.rejects(new HttpStore(url).get(ABSENT), StoreMissingError);
  });

  it("refuse ids that are not ids, on both sides", async () => {
    const { url } = await served();
    await assert.rejects(new HttpStore(url).get("../x" as ContentId), ContentIdError);
    for (const target of ["/", "/../x", `/%2e%2e/${id}`, `/${id}?x`, `/${id.toUpperCase()}`]) {
      assert.equal(await rawStatus(url, target), 400, target);
    }
    assert.equal((await fetch(`${url}/${id}`, { method: "DELETE" })).status, 405);
  });

  it("never accept or return bytes under another's id", async () => {
    const { directory, url } = await served();
    const response = await fetch(`${url}/${ABSENT}`, { method: "PUT", body: Buffer.from(content) });
    assert.equal(response.status, 422);
    assert.equal(await directory.has(ABSENT), false);
    await directory.put(content);
    await truncate(path.join(directory.location, id.slice(0, 2), id), 10);
    await assert.rejects(new HttpStore(url, { attempts: 1 }).get(id), StoreUnreachableError);
    const liar = await misbehaving((_, answer) => answer.end("something else"));
    await assert.rejects(new HttpStore(liar).get(id), StoreCorruptError);
  });

  it("tell only the server's owner what failed", async () => {
    const failures: Error[] = [];
    const { directory, url } = await served({ onError: (error) => failures.push(error) });
    await directory.put(content);
    await truncate(path.join(directory.location, id.slice(0, 2), id), 10);
    const response = await fetch(`${url}/${id}`);
    assert.equal(response.status, 500);
    assert.ok(!(await response.text()).includes(base));
    assert.ok(failures[0] instanceof StoreCorruptError);
  });

  it("let only a token's holder write", async () => {
    const { directory, url } = await served({ token: "right" });
    const large = randomBytes(new Random(3), 3_000_000);
    await assert.rejects(new HttpStore(url).put(large), /401/);
    await assert.rejects(new HttpStore(url, { token: "wrong" }).put(content), StoreUnreachableError);
    assert.equal(await directory.has(id), false);
    assert.equal(await new HttpStore(url, { token: "right" }).put(content), id);
    assert.deepEqual(await new HttpStore(url).get(id), content);
  });

  it("can be read-only", async () => {
    const { directory, url } = await served({ readOnly: true });
    await assert.rejects(new HttpStore(url).put(content), /405/);
    await directory.put(content);
    assert.deepEqual(await new HttpStore(url).get(id), content);
  });

  it("limit what is sent", async () => {
    const { url } = await served({ maximumBytes: 99_999 });
    await assert.rejects(new HttpStore(url).put(content), /413/);
    await assert.rejects(new HttpStore(url, { maximumBytes: 99_999 }).put(content), StoreTooLargeError);
  });

  it("limit what is received, declared or not", async () => {
    const { directory, url } = await served();
    await directory.put(content);
    await assert.rejects(new HttpStore(url, { maximumBytes: 99_999 }).get(id), StoreTooLargeError);
    const endless = await misbehaving((_, answer) => {
      const write = () => {
        while (!answer.destroyed && answer.write(content));
      };
      answer.on("drain", write);
      write();
    });
    await assert.rejects(new HttpStore(endless, { maximumBytes: 1_000_000 }).get(id), StoreTooLargeError);
  });

  it("give up on a server that is silent, before its answer or in the middle of it", async () => {
    const silent = await misbehaving(() => {});
    await assert.rejects(new HttpStore(silent, { timeoutMs: 50, attempts: 2 }).get(id), StoreUnreachableError);
    const stalling = await misbehaving((_, answer) => {
      answer.writeHead(200, { "content-length": content.length });
      answer.write(content.subarray(0, 10));
    });
    await assert.rejects(new HttpStore(stalling, { timeoutMs: 50, attempts: 1 }).get(id), /silent/);
  });

  it("wait for a server that is slow but not silent", async () => {
    const slow = await misbehaving(async (_, answer) => {
      for (let start = 0; start < content.length; start += 20_000) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        answer.write(content.subarray(start, start + 20_000));
      }
      answer.end();
    });
    assert.deepEqual(await new HttpStore(slow, { timeoutMs: 1000, attempts: 1 }).get(id), content);
  });

  it("say that nobody answers, or that the connection broke", async () => {
    const { url } = await served();
    await closing.pop()!();
    await assert.rejects(new HttpStore(url, { attempts: 1 }).get(id), StoreUnreachableError);
    const breaking = await misbehaving((_, answer) => {
      answer.writeHead(200, { "content-length": content.length });
      answer.write(content.subarray(0, 10), () => answer.destroy());
    });
    await assert.rejects(new HttpStore(breaking, { attempts: 1 }).get(id), StoreUnreachableError);
  });

  it("try again when a failure may pass, and not when it cannot", async () => {
    let requests = 0;
    const recovering = await misbehaving((_, answer) => {
      answer.statusCode = ++requests < 3 ? 503 : 200;
      answer.end(content);
    });
    assert.deepEqual(await new HttpStore(recovering).get(id), content);
    assert.equal(requests, 3);
    const forbidding = await misbehaving((_, answer) => {
      requests++;
      answer.writeHead(403).end();
    });
    await assert.rejects(new HttpStore(forbidding).get(id), StoreUnreachableError);
    await assert.rejects(new HttpStore(forbidding).has(id), StoreUnreachableError);
    assert.equal(requests, 5);
  });

  it("say when the address is taken, or none", async () => {
    const { directory, url } = await served();
    await assert.rejects(serveStore(directory, { port: 99999 }), StoreUnreachableError);
    await assert.rejects(serveStore(directory, { port: Number(new URL(url).port) }), StoreUnreachableError);
  });
});

describe("openStore", () => {
  it("opens directories, file URLs and HTTP", () => {
    assert.ok(openStore("http://example.org/store/") instanceof HttpStore);
    assert.equal(openStore("https://example.org/store/").location, "https://example.org/store");
    assert.equal(openStore(pathToFileURL(base).href).location, base);
    assert.equal(openStore(base).location, base);
    assert.equal(openStore("./somewhere").location, path.resolve("somewhere"));
  });

  it("refuses everything else", () => {
    for (const location of ["", "  ", "s3://bucket/x", "ftp://example.org", "http://", "file://host/x", "a\0b"]) {
      assert.throws(() => openStore(location), StoreLocationError, JSON.stringify(location));
    }
  });
});

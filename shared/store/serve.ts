/**
 * Shares a store with processes on other machines: `GET`, `HEAD` and `PUT` of `/<id>`. A `PUT` must hash to its id, so nobody can
 * replace content; whoever may write can fill the disk, so give a token (or `readOnly`) where strangers can connect.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "../commitment/sha256.ts";
import { contentIdOf, isContentId } from "./contentId.ts";
import { StoreMissingError, StoreUnreachableError } from "./errors.ts";
import { DEFAULT_MAXIMUM_BYTES } from "./options.ts";
import type { ContentId, Store } from "./store.ts";

export interface ServeStoreOptions {
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly readOnly?: boolean;
  /** Bearer token that a `PUT` must carry; none by default. */
  readonly token?: string;
  /** Bytes of all uploads in progress together; 1 GiB by default. */
  readonly maximumBytes?: number;
  /** Longest time a whole request may take to arrive, in milliseconds; 300 000 by default. */
  readonly timeoutMs?: number;
  /** Told of every request that failed on this side; the client only learns that it did. */
  readonly onError?: (error: Error) => void;
}

export interface StoreServer {
  /** Location for `openStore`. */
  readonly url: string;
  close(): Promise<void>;
}

/** An answer other than success. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @throws StoreUnreachableError when the address cannot be listened on. */
export async function serveStore(store: Store, options: ServeStoreOptions = {}): Promise<StoreServer> {
  const maximumBytes = options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
  const host = options.host ?? "127.0.0.1";
  const timeoutMs = options.timeoutMs ?? 300_000;
  let uploading = 0;

  async function upload(request: IncomingMessage, id: ContentId): Promise<void> {
    if (options.readOnly === true) throw new Refusal(405, "this store is read-only");
    if (options.token !== undefined && !carriesToken(request, options.token)) throw new Refusal(401, "token required");
    const declared = Number(request.headers["content-length"]);
    if (!Number.isSafeInteger(declared)) throw new Refusal(411, "content-length required");
    if (declared > maximumBytes) throw new Refusal(413, `at most ${maximumBytes} bytes`);
    if (uploading + declared > maximumBytes) throw new Refusal(503, "too many uploads, try again");
    uploading += declared;
    try {
      const bytes = await body(request, declared);
      if (contentIdOf(bytes) !== id) throw new Refusal(422, "the body does not hash to the id");
      await store.put(bytes);
    } finally {
      uploading -= declared;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.url?.slice(1);
    if (!isContentId(id)) throw new Refusal(400, "the path is / and a content id");
    if (request.method === "GET") {
      // A directory that nobody has written to yet is missing, not broken.
      if (!(await store.has(id))) throw new Refusal(404, "no such content");
      const bytes = await store.get(id);
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length });
      response.end(bytes);
    } else if (request.method === "HEAD") {
      response.writeHead((await store.has(id)) ? 200 : 404).end();
    } else if (request.method === "PUT") {
      await upload(request, id);
      response.writeHead(201).end();
    } else {
      throw new Refusal(405, "GET, HEAD and PUT only");
    }
  }

  const server = createServer({ requestTimeout: timeoutMs, connectionsCheckingInterval: 1000 }, (request, response) => {
    answer(request, response).catch((error: Error) => {
      const refusal = asRefusal(error);
      if (refusal.status === 500) options.onError?.(error);
      response.writeHead(refusal.status, { "content-type": "text/plain", connection: "close" });
      response.end(`${refusal.message}\n`);
      // A client reads the answer only after it has sent its body.
      request.resume();
    });
  });
  server.timeout = timeoutMs;

  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, host, resolve);
    });
  } catch (error) {
    throw new StoreUnreachableError(`http://${host}:${options.port ?? 0}`, (error as Error).message, error);
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function asRefusal(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreMissingError) return new Refusal(404, "no such content");
  return new Refusal(500, "the store failed");
}

async function body(request: IncomingMessage, declared: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(declared);
  let length = 0;
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    bytes.set(piece, length);
    length += piece.length;
  }
  return bytes.subarray(0, length);
}

function carriesToken(request: IncomingMessage, token: string): boolean {
  const digest = (text: string) => sha256(new TextEncoder().encode(text));
  return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${token}`));
}

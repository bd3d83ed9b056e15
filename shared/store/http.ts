/**
 * A store behind HTTP: `GET`, `HEAD` and `PUT` of `<base>/<id>`, as `serve.ts` answers them; any static file server will do
 * for reading. Works in a browser.
 */
import { contentIdOf, parseContentId } from "./contentId.ts";
import { StoreCorruptError, StoreMissingError, StoreTooLargeError, StoreUnreachableError } from "./errors.ts";
import { DEFAULT_MAXIMUM_BYTES, type StoreOptions } from "./options.ts";
import type { ContentId, Store } from "./store.ts";

export interface HttpStoreOptions extends StoreOptions {
  /** Longest silence of the server in milliseconds, before its answer and between two pieces of it; 20 000 by default. */
  readonly timeoutMs?: number;
  /** Tries of a request that gets no answer or a server's error; 3 by default. */
  readonly attempts?: number;
  /** Bearer token sent with `PUT`. */
  readonly token?: string;
}

/** No answer, or a 5xx: worth another try. */
class TransientError extends Error {}

export class HttpStore implements Store {
  readonly location: string;
  readonly #maximumBytes: number;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #token: string | undefined;

  constructor(url: string, options: HttpStoreOptions = {}) {
    this.location = url.replace(/\/+$/, "");
    this.#maximumBytes = options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
    this.#timeoutMs = options.timeoutMs ?? 20_000;
    this.#attempts = options.attempts ?? 3;
    this.#token = options.token;
  }

  /** @throws StoreTooLargeError for more than this side's limit, StoreUnreachableError (also when the server is read-only or wants a token). */
  async put(bytes: Uint8Array): Promise<ContentId> {
    if (bytes.length > this.#maximumBytes)
      throw new StoreTooLargeError(this.location, bytes.length, this.#maximumBytes);
    const id = contentIdOf(bytes);
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    const init = { method: "PUT", body: bytes as Uint8Array<ArrayBuffer>, headers };
    await this.#request(id, init, async (response) => {
      await response.body?.cancel();
      if (!response.ok) throw this.#refused(response);
    });
    return id;
  }

  async get(id: ContentId): Promise<Uint8Array> {
    const bytes = await this.#request(parseContentId(id), { method: "GET" }, (response, alive) =>
      this.#content(id, response, alive),
    );
    const actual = contentIdOf(bytes);
    if (actual !== id) throw new StoreCorruptError(id, this.location, `its bytes hash to ${actual}`);
    return bytes;
  }

  async has(id: ContentId): Promise<boolean> {
    return this.#request(parseContentId(id), { method: "HEAD" }, async (response) => {
      if (response.status === 404) return false;
      if (!response.ok) throw this.#refused(response);
      return true;
    });
  }

  async #content(id: ContentId, response: Response, alive: () => void): Promise<Uint8Array> {
    if (response.status === 404) throw new StoreMissingError(id, this.location);
    if (!response.ok) throw this.#refused(response);
    const declared = Number(response.headers.get("content-length") ?? 0);
    if (declared > this.#maximumBytes) throw new StoreTooLargeError(this.location, declared, this.#maximumBytes);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of response.body ?? []) {
      alive();
      length += piece.length;
      if (length > this.#maximumBytes) {
        throw new StoreTooLargeError(this.location, `at least ${length}`, this.#maximumBytes);
      }
      pieces.push(piece);
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    return bytes;
  }

  #refused(response: Response): Error {
    const status = `${response.status} ${response.statusText}`.trim();
    if (response.status >= 500) return new TransientError(`the server answered ${status}`);
    return new StoreUnreachableError(this.location, `the server answered ${status}`);
  }

  /** Sends one request, again after a pause when the failure may pass. `alive` restarts the timeout. */
  async #request<T>(
    id: ContentId,
    init: RequestInit,
    read: (response: Response, alive: () => void) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const controller = new AbortController();
      const expire = () =>
        controller.abort(new TransientError(`the server was silent for ${this.#timeoutMs / 1000} seconds`));
      // No answer comes before the whole body is sent: allow for 100 kB/s.
      const sending = init.body instanceof Uint8Array ? init.body.length / 100 : 0;
      let timer = setTimeout(expire, this.#timeoutMs + sending);
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(expire, this.#timeoutMs);
      };
      try {
        const response = await fetch(`${this.location}/${id}`, { ...init, signal: controller.signal });
        alive();
        return await read(response, alive);
      } catch (error) {
        controller.abort();
        const passing = error instanceof TransientError || error instanceof TypeError;
        if (!passing) throw error;
        if (attempt >= this.#attempts) {
          throw new StoreUnreachableError(this.location, reasonOf(error), error);
        }
        await new Promise((resolve) => setTimeout(resolve, 100 * 4 ** (attempt - 1)));
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

/** fetch hides the reason of a failed connection in the cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}

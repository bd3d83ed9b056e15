/** What can go wrong with a store. Callers tell "not there" from "there but wrong" from "cannot be asked". */
import { TouchstoneError } from "../errors.ts";

export class ContentIdError extends TouchstoneError {
  readonly code = "CONTENT_ID";
  constructor(text: unknown) {
    super(`A content id is 64 lower-case hexadecimal digits, got ${JSON.stringify(text)}.`);
  }
}

export class StoreMissingError extends TouchstoneError {
  readonly code = "STORE_MISSING";
  readonly id: string;
  constructor(id: string, location: string) {
    super(`Content ${id} is not in the store ${location}.`, {
      remedy: "Ask whoever published it to keep it available, or use another store.",
    });
    this.id = id;
  }
}

export class StoreCorruptError extends TouchstoneError {
  readonly code = "STORE_CORRUPT";
  readonly id: string;
  constructor(id: string, location: string, detail: string) {
    super(`Content ${id} in the store ${location} is corrupt: ${detail}.`, {
      remedy: "Put the content again from a good copy.",
    });
    this.id = id;
  }
}

export class StoreUnreachableError extends TouchstoneError {
  readonly code = "STORE_UNREACHABLE";
  constructor(location: string, detail: string, cause?: unknown) {
    super(`The store ${location} cannot be used: ${detail}.`, {
      cause,
      remedy: "Check the location, its permissions and its network.",
    });
  }
}

export class StoreTooLargeError extends TouchstoneError {
  readonly code = "STORE_TOO_LARGE";
  constructor(location: string, bytes: number | string, maximumBytes: number) {
    super(`Content of ${bytes} bytes exceeds the ${maximumBytes} bytes that ${location} is allowed to handle.`, {
      remedy: "Raise the store's limit if content of this size is expected.",
    });
  }
}

export class StoreLocationError extends TouchstoneError {
  readonly code = "STORE_LOCATION";
  constructor(location: string) {
    super(`${JSON.stringify(location)} is not a store.`, {
      remedy: "Give a directory, a file: URL, or an http: or https: URL.",
    });
  }
}

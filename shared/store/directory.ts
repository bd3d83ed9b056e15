/** A store in a directory: one file for each content, at `<first two digits>/<id>`. Several processes may share it. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { contentIdOf, parseContentId } from "./contentId.ts";
import { StoreCorruptError, StoreMissingError, StoreTooLargeError, StoreUnreachableError } from "./errors.ts";
import { DEFAULT_MAXIMUM_BYTES, type StoreOptions } from "./options.ts";
import type { ContentId, Store } from "./store.ts";

const errorCode = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;

export class DirectoryStore implements Store {
  readonly location: string;
  readonly #maximumBytes: number;

  constructor(directory: string, options: StoreOptions = {}) {
    this.location = path.resolve(directory);
    this.#maximumBytes = options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
  }

  /**
   * Writes to a temporary file, syncs it and renames it into place, so that a reader sees all of it or nothing.
   * @throws StoreTooLargeError, StoreUnreachableError (permissions, disk full).
   */
  async put(bytes: Uint8Array): Promise<ContentId> {
    if (bytes.length > this.#maximumBytes)
      throw new StoreTooLargeError(this.location, bytes.length, this.#maximumBytes);
    const id = contentIdOf(bytes);
    if (await this.#holds(id)) return id;
    const file = this.#file(id);
    const temporary = path.join(path.dirname(file), `.${randomUUID()}.partial`);
    try {
      await mkdir(path.dirname(file), { recursive: true });
      const handle = await open(temporary, "wx");
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new StoreUnreachableError(this.location, `writing ${id} failed with ${errorCode(error)}`, error);
    }
    return id;
  }

  /** @throws as Store.get; StoreTooLargeError; StoreUnreachableError when even the directory is missing (`put` makes it). */
  async get(id: ContentId): Promise<Uint8Array> {
    const bytes = await this.#read(id, this.#file(parseContentId(id)));
    const actual = contentIdOf(bytes);
    if (actual !== id) throw new StoreCorruptError(id, this.location, `its bytes hash to ${actual}`);
    return bytes;
  }

  /** Whether the content is there; `get` says whether it is right. */
  async has(id: ContentId): Promise<boolean> {
    const file = this.#file(parseContentId(id));
    try {
      return (await stat(file)).isFile();
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw this.#unreachable(error);
    }
  }

  async #holds(id: ContentId): Promise<boolean> {
    try {
      await this.get(id);
      return true;
    } catch {
      return false;
    }
  }

  async #read(id: ContentId, file: string): Promise<Uint8Array> {
    try {
      const { size, isFile } = await stat(file).then((found) => ({ size: found.size, isFile: found.isFile() }));
      if (!isFile) throw new StoreCorruptError(id, this.location, "it is not a file");
      if (size > this.#maximumBytes) throw new StoreTooLargeError(this.location, size, this.#maximumBytes);
      const handle = await open(file, "r");
      try {
        return await readAll(handle, size);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (error instanceof StoreCorruptError || error instanceof StoreTooLargeError) throw error;
      if (errorCode(error) !== "ENOENT") throw this.#unreachable(error);
      if (await stat(this.location).catch(() => undefined)) throw new StoreMissingError(id, this.location);
      throw new StoreUnreachableError(this.location, "the directory does not exist", error);
    }
  }

  #unreachable(error: unknown): StoreUnreachableError {
    return new StoreUnreachableError(this.location, `reading failed with ${errorCode(error)}`, error);
  }

  // SAFETY: `id` has been parsed, so it cannot leave the directory.
  #file(id: ContentId): string {
    return path.join(this.location, id.slice(0, 2), id);
  }
}

/** At most `size` bytes: a file that grows while it is read does not grow the buffer. */
async function readAll(handle: Awaited<ReturnType<typeof open>>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

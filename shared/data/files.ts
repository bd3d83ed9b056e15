/** Data files on this machine's disk. Node only. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { TouchstoneError } from "../errors.ts";
import { compareBytewise } from "./bytewise.ts";
import type { DataFiles } from "./dataset.ts";
import type { Compressors } from "./sourceArray.ts";

export class DataFilesError extends TouchstoneError {
  readonly code = "DATA_FILES";
  /** The place in the task file that names the files. */
  readonly path: string;
  constructor(place: string, problem: string, cause?: unknown) {
    super(`The files at ${place}: ${problem}.`, { cause, remedy: "Paths are relative to the task file." });
    this.path = place;
  }
}

/** Codecs of Parquet, each bounded by the length that the page claims. */
const COMPRESSORS: Compressors = {
  GZIP: (bytes, length) => gunzipSync(bytes, bound(length)),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, bound(length)),
  ZSTD: (bytes, length) => zstdDecompressSync(bytes, bound(length)),
};

/** zlib takes no bound of 0, and an empty page has that length. */
function bound(length: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, length) };
}

/** Files below or beside `folder`. `list` throws DataFilesError when a glob matches no file; `read` when one cannot be read. */
export function dataFilesIn(folder: string): DataFiles {
  return {
    compressors: COMPRESSORS,
    list: async (pattern, key) => {
      const names = globSync(pattern, { cwd: folder, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
        .sort(compareBytewise);
      if (names.length === 0) throw new DataFilesError(key, `no file matches ${pattern} in ${folder}`);
      return names.map((name) => ({
        name,
        read: async () => {
          try {
            const { buffer, byteOffset, length } = await readFile(path.resolve(folder, name));
            return new Uint8Array(buffer, byteOffset, length);
          } catch (cause) {
            throw new DataFilesError(key, `${name} cannot be read (${(cause as Error).message})`, cause);
          }
        },
      }));
    },
  };
}

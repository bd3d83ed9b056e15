/** From what a user writes (`--store`) to a store. */
import { fileURLToPath } from "node:url";
import { DirectoryStore } from "./directory.ts";
import { StoreLocationError } from "./errors.ts";
import { HttpStore, type HttpStoreOptions } from "./http.ts";
import type { Store } from "./store.ts";

/**
 * @param location a directory, a `file:` URL, or an `http:` or `https:` URL.
 * @throws StoreLocationError for anything else.
 */
export function openStore(location: string, options: HttpStoreOptions = {}): Store {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") {
    if (!URL.canParse(location)) throw new StoreLocationError(location);
    return new HttpStore(location, options);
  }
  if (scheme === "file") {
    try {
      return new DirectoryStore(fileURLToPath(location), options);
    } catch {
      throw new StoreLocationError(location);
    }
  }
  if (scheme !== undefined || location.trim() === "" || location.includes("\0")) throw new StoreLocationError(location);
  return new DirectoryStore(location, options);
}

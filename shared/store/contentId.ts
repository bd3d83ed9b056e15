/** Names of content: the SHA-256 of the bytes. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "../commitment/sha256.ts";
import { ContentIdError } from "./errors.ts";
import type { ContentId } from "./store.ts";

export function contentIdOf(bytes: Uint8Array): ContentId {
  return bytesToHex(sha256(bytes)) as ContentId;
}

export function isContentId(text: unknown): text is ContentId {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

/** @throws ContentIdError unless `text` is 64 lower-case hexadecimal digits. */
export function parseContentId(text: unknown): ContentId {
  if (!isContentId(text)) throw new ContentIdError(text);
  return text;
}

/** A content id as the chain carries it: 0x and 64 digits. @throws ContentIdError. */
export function contentIdOfBytes32(value: string): ContentId {
  return parseContentId(value.slice(2));
}

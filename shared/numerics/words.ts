/** Words to bytes and back: little-endian, as in tiles and files (docs/protocol.md, section 1), whatever the machine's order. */
import { TouchstoneError } from "../errors.ts";

export class WordBytesError extends TouchstoneError {
  readonly code = "WORD_BYTES";

  constructor(length: number) {
    super(`${length} bytes are not a whole number of 4-byte words.`);
  }
}

/** 4 bytes a word. A copy. */
export function wordsToBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i]!, true);
  return bytes;
}

/** A copy. @throws WordBytesError when the length is not divisible by 4. */
export function wordsFromBytes(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 4 !== 0) throw new WordBytesError(bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(4 * i, true);
  return words;
}

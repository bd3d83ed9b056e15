/**
 * Keeping subnormals out (docs/numerics.md, section 4): flush(x) = (x + c) − c in binary32 with c = 1.5 · 2^-80. The result is a
 * multiple of 2^-104 (and of 2^-103 but for x close to −c), so zero or far above the subnormals, and the numbers from about
 * 2^-56 on are unchanged. A Map does the same in two instructions.
 */
import { add, canonical, sub } from "./float32.ts";

/** 1.5 · 2^-80. */
export const FLUSH_CONSTANT = 0x17c00000;

/** Every flushed number is a multiple of 2 to this power. */
export const FLUSHED_GRID = -104;

/** The flushed word, canonical. */
export function flush(word: number): number {
  return canonical(sub(add(word, FLUSH_CONSTANT), FLUSH_CONSTANT));
}

/** Whether a word is finite, canonical and survives `flush` as it is: what datasets, constants and initial states consist of. */
export function isFlushed(word: number): boolean {
  return (word & 0x7f800000) !== 0x7f800000 && flush(word) === word >>> 0;
}

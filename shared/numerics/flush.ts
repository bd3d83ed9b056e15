/**
 * Keeping subnormals out (docs/numerics.md, section 4): flush(x) = (x + c) − c in binary32 with c = 1.5 · 2^-80. The result is a
 * multiple of 2^-104 (and of 2^-103 but for x close to −c), so zero or far above the subnormals, and numbers of magnitude 2^-54 and
 * more are unchanged. A Map does the same in two instructions.
 */
import { add, canonical, NEGATIVE_ZERO, sub, toNumber } from "./float32.ts";

/** 1.5 · 2^-80. */
export const FLUSH_CONSTANT = 0x17c00000;

/** Every flushed number is a multiple of 2 to this power. */
export const FLUSHED_GRID = -104;

/** The flushed word, canonical. */
export function flush(word: number): number {
  return canonical(sub(add(word, FLUSH_CONSTANT), FLUSH_CONSTANT));
}

/** Whether a word is a finite multiple of 2^-104 other than −0: what datasets, constants and initial states consist of. */
export function isFlushed(word: number): boolean {
  return Number.isInteger(toNumber(word) * 2 ** -FLUSHED_GRID) && word >>> 0 !== NEGATIVE_ZERO;
}

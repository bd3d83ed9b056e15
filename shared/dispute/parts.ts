/** The fixed split of a reduced range into at most 16 parts (docs/protocol.md, section 3). */
import { PARTIALS } from "../commitment/partialsTree.ts";

/** Reduced positions `lo … hi − 1`. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Part `i` of a range; empty (`lo = hi`) where the range is shorter than its parts. */
export function partOf({ lo, hi }: Range, i: number): Range {
  const size = Math.ceil((hi - lo) / PARTIALS);
  return { lo: Math.min(lo + i * size, hi), hi: Math.min(lo + (i + 1) * size, hi) };
}

/** All 16 parts of a range. */
export function partsOf(range: Range): Range[] {
  return Array.from({ length: PARTIALS }, (_, i) => partOf(range, i));
}

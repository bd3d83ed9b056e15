/**
 * Oracle for correct rounding, in integers alone: whether a word is RN32 of a real number, decided by comparing that number
 * with the two midpoints around the word. It shares nothing with `shared/numerics`.
 */
import type { Random } from "./random.ts";

/** A dyadic number m · 2^e. */
export interface Dyadic {
  readonly m: bigint;
  readonly e: number;
}

/** The value of a finite word, or 2^128 for infinity (where rounding puts it); the sign is left out. */
export function magnitudeOf(word: number): Dyadic {
  const field = (word >>> 23) & 0xff;
  const fraction = BigInt(word & 0x7fffff);
  return field === 0 ? { m: fraction, e: -149 } : { m: fraction + (1n << 23n), e: field - 150 };
}

export function exactValue(word: number): Dyadic {
  const { m, e } = magnitudeOf(word);
  return { m: word >>> 31 === 1 ? -m : m, e };
}

/** Sign of a − b. */
export function compareDyadic(a: Dyadic, b: Dyadic): number {
  const e = Math.min(a.e, b.e);
  const left = a.m << BigInt(a.e - e);
  const right = b.m << BigInt(b.e - e);
  return left === right ? 0 : left < right ? -1 : 1;
}

export function multiplyDyadic(a: Dyadic, b: Dyadic): Dyadic {
  return { m: a.m * b.m, e: a.e + b.e };
}

export function addDyadic(a: Dyadic, b: Dyadic): Dyadic {
  const e = Math.min(a.e, b.e);
  return { m: (a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e };
}

/**
 * Whether the magnitude bits of `word` are RN32 of a real x ≥ 0.
 * @param compare sign of x − d, for dyadic d.
 */
export function roundsTo(word: number, compare: (d: Dyadic) => number): boolean {
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return false;
  const even = (magnitude & 1) === 0;
  const midpoint = (low: number): Dyadic => {
    const { m, e } = addDyadic(magnitudeOf(low), magnitudeOf(low + 1));
    return { m, e: e - 1 };
  };
  if (magnitude > 0) {
    const side = compare(midpoint(magnitude - 1));
    if (side < 0 || (side === 0 && !even)) return false;
  }
  if (magnitude < 0x7f800000) {
    const side = compare(midpoint(magnitude));
    if (side > 0 || (side === 0 && !even)) return false;
  }
  return true;
}

const EDGES = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00000002, 0x007fffff, 0x00800000, 0x00800001, 0x80800000,
  0x3f800000, 0x3f800001, 0x3f7fffff, 0xbf800000, 0x40000000, 0x4b000000, 0x4b800001, 0x7f7fffff, 0xff7fffff,
  0x7f7ffffe, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345, 0x2b800000, 0x49800000, 0x1a800000,
  0x20000000,
];

/** A float32 word: an edge, any word, a number of ordinary size, a subnormal, or one with few significant bits. */
export function anyFloat(random: Random): number {
  switch (random.below(6)) {
    case 0:
      return random.pick(EDGES);
    case 1:
      return random.word();
    case 2:
      return ((random.word() & 0x807fffff) | (random.between(110, 140) << 23)) >>> 0;
    case 3:
      return (random.word() & 0x807fffff) >>> 0;
    case 4:
      return ((random.word() & 0x80f00000) | (random.between(1, 254) << 23)) >>> 0;
    default:
      return (random.pick(EDGES) + random.between(-2, 2)) >>> 0;
  }
}

/** A finite word of ordinary size: magnitude between 2^-20 and 2^20, or zero. */
export function ordinaryFloat(random: Random): number {
  if (random.chance(0.1)) return 0;
  return ((random.word() & 0x807fffff) | (random.between(107, 146) << 23)) >>> 0;
}

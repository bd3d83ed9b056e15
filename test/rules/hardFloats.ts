/** Operands whose exact result lies on or as near as can be to a midpoint of two float32 numbers: what random words rarely hit. */
import type { Random } from "../helpers/random.ts";

type Case = readonly [a: number, b: number, c: number];

/** The word of significand · 2^exponent with a significand of at most 24 bits, or null outside the normal range. */
function word(significand: bigint, exponent: number): number | null {
  let m = significand;
  let e = exponent;
  while (m !== 0n && m < 1n << 23n) {
    m <<= 1n;
    e--;
  }
  const biased = e + 150;
  return m < 1n << 24n && biased >= 1 && biased <= 254 ? ((biased << 23) | Number(m & 0x7fffffn)) >>> 0 : null;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1] = [modulus, value % modulus];
  let [t0, t1] = [0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1] = [r1, r0 - q * r1];
    [t0, t1] = [t1, t0 - q * t1];
  }
  return ((t0 % modulus) + modulus) % modulus;
}

/** x / y with |x · 2^25 − m · y| tiny for an odd 25-bit m: the quotient is within 2^-48 of a midpoint. */
export function hardQuotients(random: Random, count: number): Case[] {
  const cases: Case[] = [];
  while (cases.length < count) {
    const y = BigInt(random.between(2 ** 23, 2 ** 24 - 1)) | 1n;
    const distance = BigInt(random.between(1, 4)) * (random.chance(0.5) ? 1n : -1n);
    // x ≡ distance · 2^-25 (mod y), so y divides x · 2^25 − distance.
    const x = (((distance * inverse(1n << 25n, y)) % y) + y) % y;
    const m = ((x << 25n) - distance) / y;
    if (m % 2n === 0n || m < 1n << 24n) continue;
    const scale = random.between(-100, 100);
    const [a, b] = [word(x, scale), word(y, random.between(-20, 20))];
    if (a !== null && b !== null) cases.push([(a | (random.word() & 0x80000000)) >>> 0, b, 0]);
  }
  return cases;
}

/** x / 2^k or x / y exact with bits below the least subnormal: ties and near-ties among subnormal quotients. */
export function subnormalQuotients(random: Random, count: number): Case[] {
  return Array.from({ length: count }, (): Case => {
    const bits = random.between(2, 12);
    const y = random.between(1, 2 ** bits - 1);
    const odd = random.between(0, 2 ** 11) * 2 + 1;
    // (odd · y) / y · 2^-150 is an odd multiple of half the least subnormal.
    const a = word(BigInt(odd * y + random.pick([0, 0, 1, -1])), -100)!;
    return [a, word(BigInt(y), 50)!, 0];
  });
}

/**
 * x with a root within 2^-27 of a midpoint n / 2, n odd: n² = x · 2^26 + c for a small c ≡ 1 (mod 8). The hardest are few, so half of the
 * calls begin at them and the others anywhere.
 */
export function hardRoots(random: Random, count: number): Case[] {
  const modulus = 1n << 26n;
  const cases: Case[] = [];
  for (let j = random.chance(0.5) ? 0 : random.below(2 ** 16); cases.length < count; j++) {
    const c = BigInt(1 + 8 * (j % 2 === 0 ? j / 2 : -(j + 1) / 2));
    // Hensel: a root modulo 2^k gives one modulo 2^(k+1).
    let root = 1n;
    for (let k = 3n; k < 26n; k++) if ((root * root - c) % (1n << (k + 1n)) !== 0n) root += 1n << (k - 1n);
    for (const candidate of [root, modulus - root, root + modulus / 2n, modulus / 2n - root]) {
      const n = ((candidate % modulus) + modulus) % modulus;
      if (n < 1n << 24n || n >= 1n << 25n) continue;
      const x = (n * n - c) / modulus;
      if (x < 1n << 24n) {
        const a = word(x, 2 * random.between(-60, 50));
        if (a !== null) cases.push([a, 0, 0]);
      } else if (x % 2n === 0n) {
        const a = word(x / 2n, 1 + 2 * random.between(-60, 50));
        if (a !== null) cases.push([a, 0, 0]);
      }
    }
  }
  return cases;
}

/** Products of 25 significant bits that end in 1 (exact ties), also where they fall below the normal range. */
export function tiedProducts(random: Random, count: number): Case[] {
  const cases: Case[] = [];
  while (cases.length < count) {
    const bits = random.between(2, 23);
    const a = BigInt(random.between(2 ** (bits - 1), 2 ** bits - 1)) | 1n;
    const b = BigInt(random.between(2 ** (24 - bits), 2 ** (25 - bits) - 1)) | 1n;
    const [x, y] = [word(a, random.between(-75, 20)), word(b, random.between(-75, 20))];
    if (x !== null && y !== null) cases.push([x, (y | (random.word() & 0x80000000)) >>> 0, 0]);
  }
  return cases;
}

/** Sums whose lesser operand is half a unit of the greater, one bit more or one less, at any distance of exponents. */
export function tiedSums(random: Random, count: number): Case[] {
  return Array.from({ length: count }, (): Case => {
    const exponent = random.between(1, 254);
    const a = ((exponent << 23) | (random.chance(0.3) ? random.pick([0, 0x7fffff]) : random.word() & 0x7fffff)) >>> 0;
    const below = Math.max(0, exponent - random.pick([0, 1, 23, 24, 24, 24, 25, 26, 40, 63, 64, 65, 66, 200]));
    const fraction = random.pick([0, 0, 1, 0x7fffff, 0x400000, random.word() & 0x7fffff]);
    const signs = random.word();
    return [(a | (signs & 0x80000000)) >>> 0, ((below << 23) | fraction | ((signs << 1) & 0x80000000)) >>> 0, 0];
  });
}

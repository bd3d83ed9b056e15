/**
 * Philox4x32-10, a counter-based generator: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * and its reference implementation Random123 (docs/numerics.md, section 2.13). Twin of `contracts/libraries/Philox.sol`.
 */

export type Counter = readonly [number, number, number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_INCREMENT_0 = 0x9e3779b9;
const KEY_INCREMENT_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Last counter word: what the numbers are for. */
const DOMAIN_SAMPLE_ORDER = 1;
const DOMAIN_INITIAL_VALUES = 2;
const DOMAIN_RANDOM = 3;
const DOMAIN_PERMUTATION = 4;

/** Four random words for a counter and a key of 32-bit words. */
export function philox4x32(counter: Counter, key: readonly [number, number]): Counter {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + KEY_INCREMENT_0) >>> 0;
    k1 = (k1 + KEY_INCREMENT_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A 64-bit seed as a key: low word, high word. */
export function keyOf(seed: bigint): readonly [number, number] {
  return [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)];
}

/** The sample that row `row` of the batch of step `step` reads, uniform over `sampleCount` samples; 0 when there is none. */
export function sampleRow(seed: bigint, step: number, row: number, sampleCount: number): number {
  return multiplyHigh(philox4x32([step, row, 0, DOMAIN_SAMPLE_ORDER], keyOf(seed))[0], sampleCount);
}

/** `count` random words for the initial values of state tensor `tensor`: word i is lane i mod 4 of counter (i div 4, tensor, 0, 2). */
export function initialWords(seed: bigint, tensor: number, count: number): Uint32Array {
  return consecutiveWords(keyOf(seed), [tensor, 0, DOMAIN_INITIAL_VALUES], count);
}

/** Word `element` of a random stream at a step: lane element mod 4 of counter (element div 4, step, stream, 3). */
export function randomWord(seed: bigint, step: number, stream: number, element: number): number {
  return philox4x32([Math.floor(element / 4), step, stream, DOMAIN_RANDOM], keyOf(seed))[element % 4]!;
}

/** Words `first … first + count − 1` of a random stream at a step. @param first a multiple of 4. */
export function randomWords(seed: bigint, step: number, stream: number, count: number, first = 0): Uint32Array {
  return consecutiveWords(keyOf(seed), [step, stream, DOMAIN_RANDOM], count, first / 4);
}

/** The eight keys of an epoch's permutation: counters (epoch mod 2^32, epoch div 2^32, 0 and 1, 4). */
export function permutationKeys(seed: bigint, epoch: bigint): readonly number[] {
  const [low, high] = keyOf(epoch);
  return [0, 1].flatMap((half) => philox4x32([low, high, half, DOMAIN_PERMUTATION], keyOf(seed)));
}

/** Word i is lane i mod 4 of counter (firstBlock + i div 4, ...rest). `philox4x32` in a loop, without an array for each block: masks are long. */
function consecutiveWords(
  [key0, key1]: readonly [number, number],
  [rest1, rest2, rest3]: readonly [number, number, number],
  count: number,
  firstBlock = 0,
): Uint32Array {
  const words = new Uint32Array(4 * Math.ceil(count / 4));
  for (let at = 0; at < words.length; at += 4) {
    let c0 = firstBlock + at / 4;
    let c1 = rest1;
    let c2 = rest2;
    let c3 = rest3;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < ROUNDS; round++) {
      const high0 = multiplyHigh(MULTIPLIER_0, c0);
      const low0 = Math.imul(MULTIPLIER_0, c0);
      const high1 = multiplyHigh(MULTIPLIER_1, c2);
      const low1 = Math.imul(MULTIPLIER_1, c2);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + KEY_INCREMENT_0) | 0;
      k1 = (k1 + KEY_INCREMENT_1) | 0;
    }
    words[at] = c0;
    words[at + 1] = c1;
    words[at + 2] = c2;
    words[at + 3] = c3;
  }
  return words.length === count ? words : words.slice(0, count);
}

/** High 32 bits of the product of two 32-bit words, which may be given as signed. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const outer = Math.imul(aHigh, bLow);
  const inner = Math.imul(aLow, bHigh);
  const middle = (Math.imul(aLow, bLow) >>> 16) + (outer & 0xffff) + (inner & 0xffff);
  return (Math.imul(aHigh, bHigh) + (outer >>> 16) + (inner >>> 16) + (middle >>> 16)) >>> 0;
}

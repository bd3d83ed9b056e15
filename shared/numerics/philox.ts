/**
 * Philox4x32-10, a counter-based generator: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * and its reference implementation Random123 (docs/numerics.md, section 2.11). Twin of `contracts/libraries/Philox.sol`.
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
  const key = keyOf(seed);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i += 4) {
    const lanes = philox4x32([i / 4, tensor, 0, DOMAIN_INITIAL_VALUES], key);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) words[i + lane] = lanes[lane]!;
  }
  return words;
}

/** High 32 bits of the product of two 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle % 0x10000) + aLow * bHigh;
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}

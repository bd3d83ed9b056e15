/**
 * Which sample a row of a step's batch is (docs/numerics.md, section 2.9). Every row is found by itself, without the ones before it, so that
 * a contract can. Twin of `contracts/libraries/SampleOrder.sol`.
 */
import { permutationKeys, sampleRow } from "./philox.ts";

/**
 * replacement: every row is drawn on its own; permutation: every epoch takes all samples once, in an order of its own; sequential: one
 * after the other, over and over.
 */
export type SampleOrder = "replacement" | "permutation" | "sequential";

/** A row of the batches that one operator makes. */
export interface BatchRow {
  readonly step: number;
  /** Rows of the operator in every step. */
  readonly rows: number;
  readonly row: number;
}

/** How often a value outside the samples is permuted again. */
const MOST_WALKS = 64;

/** The number of the sample, below `sampleCount`, which is at least 1. */
export function sampleAt(order: SampleOrder, seed: bigint, place: BatchRow, sampleCount: number): number {
  return sampler(order, seed, sampleCount)(place);
}

/** `sampleAt` for many rows: the keys of an epoch are kept as long as rows are of that epoch. */
export function sampler(order: SampleOrder, seed: bigint, sampleCount: number): (place: BatchRow) => number {
  if (order === "replacement") return ({ step, row }) => sampleRow(seed, step, row, sampleCount);
  // Every epoch is the same, and needs no keys.
  if (sampleCount === 1) return () => 0;
  let keptEpoch: bigint | number = -1;
  let keys: readonly number[] = [];
  return (row) => {
    const { epoch, place } = epochOf(row, sampleCount);
    if (order === "sequential") return place;
    if (epoch !== keptEpoch) {
      keptEpoch = epoch;
      keys = permutationKeys(seed, BigInt(epoch));
    }
    return permute(keys, place, sampleCount);
  };
}

/** How often all samples were gone through before a row, and the row's place in its epoch. */
function epochOf(
  { step, rows, row }: BatchRow,
  count: number,
): { readonly epoch: bigint | number; readonly place: number } {
  const position = step * rows + row;
  if (Number.isSafeInteger(position)) {
    const place = position % count;
    return { epoch: (position - place) / count, place };
  }
  const exact = BigInt(step) * BigInt(rows) + BigInt(row);
  return { epoch: exact / BigInt(count), place: Number(exact % BigInt(count)) };
}

/**
 * The place of `place` in a permutation of 0 … count − 1: a Feistel network on as many bits as count − 1 has, walked along its cycle until it
 * is back among them.
 */
export function permute(keys: readonly number[], place: number, count: number): number {
  const bits = 32 - Math.clz32(count - 1);
  const lowBits = Math.ceil(bits / 2);
  const lowMask = 2 ** lowBits - 1;
  const highMask = 2 ** (bits - lowBits) - 1;
  let value = place;
  for (let walk = 0; walk < MOST_WALKS; walk++) {
    let low = value & lowMask;
    let high = value >>> lowBits;
    for (let round = 0; round < keys.length; round += 2) {
      high ^= mix(low + keys[round]!) & highMask;
      low ^= mix(high + keys[round + 1]!) & lowMask;
    }
    value = ((high << lowBits) | low) >>> 0;
    if (value < count) return value;
  }
  return value % count;
}

/** Every bit of the result depends on all bits of the word (mod 2^32): the last steps of MurmurHash3, by Austin Appleby. */
function mix(word: number): number {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

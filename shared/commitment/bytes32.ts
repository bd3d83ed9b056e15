/**
 * A 32-byte word as lower-case hex: what roots, siblings and openings are outside this folder. Two are equal when the
 * strings are, and viem takes them as they are.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { TouchstoneError } from "../errors.ts";

export type Bytes32 = `0x${string}`;

export class MalformedBytes32Error extends TouchstoneError {
  readonly code = "MALFORMED_BYTES32";
  constructor(value: unknown) {
    super(`Expected 32 bytes as 0x and 64 hexadecimal digits, got ${JSON.stringify(value)}.`);
  }
}

export const ZERO_BYTES32: Bytes32 = `0x${"00".repeat(32)}`;

/** The 32 bytes at `offset` as hex. */
export function toBytes32(bytes: Uint8Array, offset = 0): Bytes32 {
  return `0x${bytesToHex(bytes.subarray(offset, offset + 32))}`;
}

/** @throws MalformedBytes32Error unless `value` is 0x and 64 hexadecimal digits. */
export function fromBytes32(value: string): Uint8Array {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(value)) throw new MalformedBytes32Error(value);
  return hexToBytes(value.slice(2));
}

/** Big-endian 32 bytes of a uint256 or, in two's complement, of an int256. */
export function integerToBytes32(value: bigint): Bytes32 {
  return `0x${BigInt.asUintN(256, value).toString(16).padStart(64, "0")}`;
}

/** Several words one after the other. */
export function concatBytes32(words: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 32);
  for (const [position, word] of words.entries()) bytes.set(fromBytes32(word), position * 32);
  return bytes;
}

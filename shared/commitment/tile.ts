/**
 * Tiles: 64 words of a tensor, little-endian, hashed with SHA-256 (docs/protocol.md, section 1). The words past the end of
 * a tensor are zero. Twin of `contracts/libraries/Tile.sol`.
 */
import { TouchstoneError } from "../errors.ts";
import { type Bytes32, toBytes32 } from "./bytes32.ts";
import { sha256, sha256Blocks } from "./sha256.ts";

export const TILE_WORDS = 64;
export const TILE_BYTES = 256;

export class TileRangeError extends TouchstoneError {
  readonly code = "TILE_RANGE";
  constructor(tile: number, tiles: number) {
    super(`Tile ${tile} does not exist: the tensor has ${tiles} tile(s), numbered from 0.`);
  }
}

export class TileSizeError extends TouchstoneError {
  readonly code = "TILE_SIZE";
  constructor(bytes: number) {
    super(`A tile has ${TILE_BYTES} bytes, got ${bytes}.`);
  }
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Tiles of a tensor of `words` words, at least 1. */
export function tileCount(words: number): number {
  return Math.max(1, Math.ceil(words / TILE_WORDS));
}

/** Little-endian bytes of words. A view on the same memory where the host is little-endian. */
export function wordsToBytes(words: Uint32Array, hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return hostIsLittleEndian ? bytes : swapWords(bytes);
}

/** Words of little-endian bytes, always a copy. The length must be a multiple of 4. */
export function bytesToWords(bytes: Uint8Array, hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN): Uint32Array {
  // Not slice(): a Buffer's would be a view.
  const copy = hostIsLittleEndian ? new Uint8Array(bytes) : swapWords(bytes);
  return new Uint32Array(copy.buffer, 0, copy.length / 4);
}

function swapWords(bytes: Uint8Array): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let position = 0; position < bytes.length; position++) swapped[position] = bytes[position ^ 3]!;
  return swapped;
}

/**
 * The 256 bytes of one tile of a tensor, zero-padded.
 * @throws TileRangeError when the tensor has no such tile.
 */
export function tileBytes(words: Uint32Array, tile: number): Uint8Array {
  const tiles = tileCount(words.length);
  if (!Number.isInteger(tile) || tile < 0 || tile >= tiles) throw new TileRangeError(tile, tiles);
  const bytes = new Uint8Array(TILE_BYTES);
  bytes.set(wordsToBytes(words.subarray(tile * TILE_WORDS, (tile + 1) * TILE_WORDS)));
  return bytes;
}

/**
 * SHA-256 of a tile's 256 bytes.
 * @throws TileSizeError for any other length.
 */
export function tileHash(bytes: Uint8Array): Bytes32 {
  if (bytes.length !== TILE_BYTES) throw new TileSizeError(bytes.length);
  return toBytes32(sha256(bytes));
}

/** Hashes of all tiles of a tensor, 32 bytes each, one after the other. */
export function tileHashes(words: Uint32Array): Uint8Array {
  const bytes = wordsToBytes(words);
  const whole = Math.floor(words.length / TILE_WORDS);
  const tiles = tileCount(words.length);
  const head = sha256Blocks(bytes.subarray(0, whole * TILE_BYTES), TILE_BYTES);
  if (whole === tiles) return head;
  const hashes = new Uint8Array(tiles * 32);
  hashes.set(head);
  hashes.set(sha256(tileBytes(words, whole)), whole * 32);
  return hashes;
}

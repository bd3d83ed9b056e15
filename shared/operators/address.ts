/**
 * Where an operand is read (docs/numerics.md, section 2.1): the multi-index of an output element, the line of addresses that an
 * operand follows over the reduced axis, and the tiles that a range of it touches. Twin of `contracts/libraries/Address.sol`.
 */
import { TILE_WORDS } from "../commitment/tile.ts";
import type { Operand } from "../program/descriptor.ts";

/** Row-major multi-index of an element; past the end it wraps. */
export function multiIndex(shape: readonly number[], element: number): number[] {
  const index = new Array<number>(shape.length);
  let rest = element;
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}

/** The addresses of one operand for one output element: `base + k · stride`, of which those in [0, count) exist. */
export interface Line {
  /** Exact; garbage descriptors reach beyond 2^53. */
  readonly base: bigint;
  /** Stride of the reduced axis, 0 in the families that do not reduce. */
  readonly stride: number;
  readonly count: number;
}

export function operandLine(operand: Operand, index: readonly number[]): Line {
  let base = BigInt(operand.offset);
  for (const [d, i] of index.entries()) base += BigInt(i) * BigInt(operand.strides[d]!);
  return { base, stride: operand.strides[index.length] ?? 0, count: operand.count };
}

/** The address at reduced index k, or null when it lies outside the operand and reads 0. */
export function addressAt(line: Line, k: number): number | null {
  const address = line.base + BigInt(k) * BigInt(line.stride);
  return address < 0n || address >= BigInt(line.count) ? null : Number(address);
}

/** Tiles of the operand, ascending, that hold its addresses for k in [lo, hi). */
export function tilesOfRange(line: Line, lo: number, hi: number): number[] {
  const tiles = new Set<number>();
  for (let k = lo; k < hi; k++) {
    const address = addressAt(line, k);
    if (address !== null) tiles.add(Math.floor(address / TILE_WORDS));
  }
  return [...tiles].sort((a, b) => a - b);
}

/**
 * Whether every address of an operand lies inside it, over all output elements and the first `length` reduced positions. The
 * two extremes decide: each dimension reaches its ends independently of the others.
 */
export function staysInside(operand: Operand, shape: readonly number[], length: number): boolean {
  let least = operand.offset;
  let most = operand.offset;
  for (const [d, extent] of [...shape, length].entries()) {
    const reach = (extent - 1) * (operand.strides[d] ?? 0);
    if (reach < 0) least += reach;
    else most += reach;
  }
  return least >= 0 && most < operand.count;
}

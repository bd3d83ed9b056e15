/**
 * Which tiles the recomputation of an element needs, in the order of the witness (docs/protocol.md, section 3; contracts/interfaces/IReferee.sol).
 */
import { TILE_WORDS } from "../commitment/tile.ts";
import type { Operator, Reference } from "../program/descriptor.ts";
import { multiIndex, operandLine, tilesOfRange } from "./address.ts";
import { batchAddress } from "./batch.ts";
import type { ReducingOperator } from "./element.ts";
import { gatherAddress } from "./gather.ts";
import type { Read, StepPosition } from "./read.ts";
import { scheduleAddress } from "./schedule.ts";

/** Most positions of the reduced axis that the contract recomputes at once. */
export const MAX_ADJUDICATED_POSITIONS = 64;

/** A tile of a committed tensor: of an operand, of a dataset sample, or of the schedule table. */
export interface WitnessTile {
  readonly source: Reference | { readonly kind: "sample"; readonly index: number } | { readonly kind: "schedule" };
  readonly tile: number;
}

/** Whether the contract recomputes the element over [lo, hi): few enough positions, and no operand in more than one tile. */
export function isAdjudicable(operator: ReducingOperator, element: number, lo: number, hi: number): boolean {
  if (hi - lo > MAX_ADJUDICATED_POSITIONS) return false;
  const index = multiIndex(operator.shape, element);
  return operator.operands.every((operand, at) => {
    const [from, to] = positionsRead(operator, at, lo, hi);
    return tilesOfRange(operandLine(operand, index), from, to).length <= 1;
  });
}

/** The positions of the reduced axis at which an operand is read: those of the range, but 0 alone for a peak. */
function positionsRead(operator: Operator, at: number, lo: number, hi: number): readonly [number, number] {
  const firstPeak = operator.family === "dot" ? 2 : 1;
  const peaks = operator.family === "dot" || operator.family === "sum" || operator.family === "sumByIndex";
  const isIndex = operator.family === "sumByIndex" && at === 2;
  return peaks && at >= firstPeak && !isIndex ? [0, 1] : [lo, hi];
}

/**
 * The tiles for an element over [lo, hi) of its reduced axis ([0, 1) in the families without one). Operands whose addresses all lie
 * outside bring none. The range must be adjudicable, the references must exist.
 */
export function witnessTiles(
  operator: Operator,
  element: number,
  lo: number,
  hi: number,
  read: Read,
  position: StepPosition,
): WitnessTile[] {
  const tiles: WitnessTile[] = [];
  const push = (source: WitnessTile["source"], address: number | null): void => {
    if (address !== null) tiles.push({ source, tile: Math.floor(address / TILE_WORDS) });
  };
  switch (operator.family) {
    case "batch": {
      const source = batchAddress(operator, element, position);
      if (source !== null) push({ kind: "sample", index: source.row }, source.address);
      return tiles;
    }
    case "schedule":
      push({ kind: "schedule" }, scheduleAddress(operator, position));
      return tiles;
  }
  const index = multiIndex(operator.shape, element);
  for (const [at, operand] of operator.operands.entries()) {
    if (operator.family === "gather" && at === 0) push(operand.reference, gatherAddress(operator, element, read));
    else {
      const [from, to] = positionsRead(operator, at, lo, hi);
      const [tile] = tilesOfRange(operandLine(operand, index), from, to);
      if (tile !== undefined) tiles.push({ source: operand.reference, tile });
    }
  }
  return tiles;
}

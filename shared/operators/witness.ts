/**
 * Which tiles the recomputation of an element needs, in the order of the witness (docs/protocol.md, section 3; contracts/interfaces/IReferee.sol).
 */
import { TILE_WORDS } from "../commitment/tile.ts";
import type { Operator, Reference } from "../program/descriptor.ts";
import { isPeakOperand } from "../program/encoding.ts";
import { multiIndex, operandLine, tilesOfRange } from "./address.ts";
import { batchAddress } from "./batch.ts";
import type { ReducingOperator } from "./element.ts";
import { gatherAddress } from "./gather.ts";
import { joinSource } from "./join.ts";
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
  return operator.operands.every((_, position) => operandTiles(operator, position, element, lo, hi).length <= 1);
}

/** Tiles of one operand over a range; a peak is read at 0 alone. */
function operandTiles(operator: Operator, position: number, element: number, lo: number, hi: number): number[] {
  const line = operandLine(operator.operands[position]!, multiIndex(operator.shape, element));
  return isPeakOperand(operator.family, position) ? tilesOfRange(line, 0, 1) : tilesOfRange(line, lo, hi);
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
    case "join": {
      const source = joinSource(operator, element);
      if (source !== null) push(operator.operands[source.operand]!.reference, source.address);
      return tiles;
    }
  }
  for (const [at, operand] of operator.operands.entries()) {
    if (operator.family === "gather" && at === 0) push(operand.reference, gatherAddress(operator, element, read));
    else {
      const [tile] = operandTiles(operator, at, element, lo, hi);
      if (tile !== undefined) tiles.push({ source: operand.reference, tile });
    }
  }
  return tiles;
}

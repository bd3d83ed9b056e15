/** The one number that a dispute ends at, in words for people and programs. */
import type { Program } from "../program/program.ts";

export interface LocatedFault {
  readonly segment: number;
  /** Counted over the whole run. */
  readonly step: number;
  /** Name of the operator; `state NAME` for a state tensor. */
  readonly operator: string;
  readonly tile: number;
  /** Word of the tile, 0 to 63. */
  readonly element: number;
  readonly expectedBits: string;
  readonly claimedBits: string;
}

/** `0x` and eight hexadecimal digits. */
export function formatWord(word: number): string {
  return `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
}

/** What people call an operator's output or a state tensor. */
export function tensorName(program: Program, tensor: number, ofState: boolean): string {
  return ofState ? `state ${program.state[tensor]!.name}` : program.operators[tensor]!.name;
}

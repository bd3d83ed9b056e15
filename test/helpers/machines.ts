/** Machines that execute Map instructions, each with its own treatment of subnormals and of the sign of zero. */
import { MapOpcode } from "../../shared/program/descriptor.ts";

export const LEAST_NORMAL = 2 ** -126;

/** One instruction in float64, before rounding. */
function exact(opcode: number, a: number, b: number, c: number): number {
  switch (opcode) {
    case MapOpcode.add:
      return a + b;
    case MapOpcode.sub:
      return a - b;
    case MapOpcode.mul:
      return a * b;
    case MapOpcode.div:
      return a / b;
    case MapOpcode.sqrt:
      return Math.sqrt(a);
    case MapOpcode.abs:
      return Math.abs(a);
    case MapOpcode.neg:
      return -a;
    case MapOpcode.max:
      return Math.max(a, b);
    case MapOpcode.min:
      return Math.min(a, b);
    case MapOpcode.less:
      return a < b ? 1 : 0;
    case MapOpcode.equal:
      return a === b ? 1 : 0;
    default:
      return a !== 0 ? b : c;
  }
}

/** The result of one instruction as a float32 number. */
export type Machine = (opcode: number, a: number, b: number, c: number) => number;
/** As docs/numerics.md says. */
export const ieee: Machine = (...x) => Math.fround(exact(...x));
const daz = (x: number): number => (Math.abs(x) < LEAST_NORMAL ? 0 : x);
/** Deviations that a well-formed program must not show. */
export const MACHINES: readonly Machine[] = [
  (opcode, a, b, c) => daz(ieee(opcode, daz(a), daz(b), daz(c))),
  // Tiny before rounding: what would round up to the least normal number is flushed too.
  (opcode, a, b, c) => Math.fround(daz(exact(opcode, a, b, c))),
  (opcode, a, b, c) => ieee(opcode, a === 0 ? -0 : a, b === 0 ? -0 : b, c === 0 ? -0 : c),
  (opcode, a, b, c) => daz(ieee(opcode, a === 0 ? -0 : a, b, c)),
];

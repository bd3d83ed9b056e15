/**
 * The number functions that exist in both languages, with cases for each: what `NumericsHarness.firstDifference` decides, on whichever
 * machine runs it.
 */
import * as float32 from "../../shared/numerics/float32.ts";
import { quantise } from "../../shared/numerics/quantise.ts";
import { roundToFloat32 } from "../../shared/numerics/rounding.ts";
import { MapOpcode } from "../../shared/program/descriptor.ts";
import { anyFloat } from "../helpers/float32.ts";
import type { Random } from "../helpers/random.ts";
import { hardQuotients, hardRoots, subnormalQuotients, tiedProducts, tiedSums } from "./hardFloats.ts";

/** Three operand words; what a function does not take is ignored. */
export type Case = readonly [a: number, b: number, c: number];

export interface NumberFunction {
  readonly name: string;
  /** Its number in the harness. */
  readonly which: number;
  readonly twin: (a: number, b: number, c: number) => number;
  readonly anyCase: (random: Random) => Case;
  /** Third operand of the edge cases, where not any word will do. */
  readonly edge?: number;
  /** Whether it rounds, compares or converts; the rest selects or copies bits. */
  readonly isArithmetic?: boolean;
  /** Operands at and beside the midpoints of its results. */
  readonly hardCases?: (random: Random, count: number) => readonly Case[];
}

/** Bytes of a case with its expected result. */
const CASE = 16;

export const NUMBER_FUNCTIONS: readonly NumberFunction[] = [
  { name: "add", which: MapOpcode.add, twin: float32.add, anyCase: anyPair, hardCases: tiedSums, isArithmetic: true },
  { name: "sub", which: MapOpcode.sub, twin: float32.sub, anyCase: anyPair, hardCases: tiedSums, isArithmetic: true },
  {
    name: "mul",
    which: MapOpcode.mul,
    twin: float32.mul,
    anyCase: anyPair,
    hardCases: tiedProducts,
    isArithmetic: true,
  },
  {
    name: "div",
    which: MapOpcode.div,
    twin: float32.div,
    anyCase: anyPair,
    hardCases: anyHardQuotients,
    isArithmetic: true,
  },
  {
    name: "sqrt",
    which: MapOpcode.sqrt,
    twin: float32.sqrt,
    anyCase: anyPair,
    hardCases: hardRoots,
    isArithmetic: true,
  },
  { name: "abs", which: MapOpcode.abs, twin: float32.abs, anyCase: anyPair },
  { name: "neg", which: MapOpcode.neg, twin: float32.neg, anyCase: anyPair },
  { name: "max", which: MapOpcode.max, twin: float32.max, anyCase: anyPair },
  { name: "min", which: MapOpcode.min, twin: float32.min, anyCase: anyPair },
  { name: "less", which: MapOpcode.less, twin: float32.less, anyCase: anyPair, isArithmetic: true },
  { name: "equal", which: MapOpcode.equal, twin: float32.equal, anyCase: anyPair, isArithmetic: true },
  { name: "select", which: MapOpcode.select, twin: float32.select, anyCase: anyPair },
  { name: "canonical", which: 13, twin: float32.canonical, anyCase: anyPair },
  { name: "fromInt", which: 14, twin: float32.fromInt, anyCase: anyInteger, isArithmetic: true },
  { name: "isNan", which: 15, twin: (a) => (float32.isNan(a) ? 1 : 0), anyCase: anyPair },
  {
    name: "roundToFloat32",
    which: 16,
    twin: (high, low, exponent) =>
      roundToFloat32(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)), BigInt(exponent | 0)),
    anyCase: anyScaledInteger,
    edge: 0,
    isArithmetic: true,
  },
  {
    name: "quantise",
    which: 17,
    twin: (x, peak, bits) => quantise(x, peak, bits),
    anyCase: anyGridPoint,
    edge: 20,
    isArithmetic: true,
  },
];

/** Every pair of a grid of edges: zeros, subnormals, ones, greatest numbers, infinities and NaNs of both signs. */
export function edgeCases({ edge = 0x3f800000 }: NumberFunction): Case[] {
  const edges = [0, 1, 2, 0x7fffff, 0x800000, 0x800001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x4b7fffff, 0x4b800000];
  edges.push(0x7f7ffffe, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x40400000, 0x0c800000);
  const signed = edges.flatMap((word) => [word, (word | 0x80000000) >>> 0]);
  return signed.flatMap((a) => signed.map((b): Case => [a, b, edge]));
}

/** Cases with the results that TypeScript gives, as the harness takes them. */
export function packCases({ twin }: NumberFunction, cases: readonly Case[]): Buffer {
  const packed = Buffer.allocUnsafe(cases.length * CASE);
  let at = 0;
  for (const [a, b, c] of cases) {
    at = packed.writeUInt32BE(a, at);
    at = packed.writeUInt32BE(b, at);
    at = packed.writeUInt32BE(c, at);
    at = packed.writeUInt32BE(twin(a, b, c) >>> 0, at);
  }
  return packed;
}

/** The words of one packed case in hex: a, b, c, expected. */
export function describeCase(packed: Buffer, at: number): string {
  return packed
    .subarray(at * CASE, (at + 1) * CASE)
    .toString("hex")
    .replace(/.{8}/g, "$& ")
    .trim();
}

/** Independent operands, or related ones so that cancellation, equality and neighbours occur. */
function anyPair(random: Random): Case {
  const a = anyFloat(random);
  if (!random.chance(0.4)) return [a, anyFloat(random), anyFloat(random)];
  const related = [a, a ^ 0x80000000, a + 1, a - 1, (a & 0xff800000) | (random.word() & 0x7fffff)];
  return [a, random.pick(related) >>> 0, anyFloat(random)];
}

/** An integer of any length, often with a tie below its 24th bit. */
function anyInteger(random: Random): Case {
  const bits = random.between(1, 32);
  const word = random.word() >>> (32 - bits);
  const tied = bits > 25 && random.chance(0.5) ? (word >>> (bits - 25)) << (bits - 25) : word;
  return [(random.chance(0.5) ? tied : -tied) >>> 0, 0, 0];
}

function anyScaledInteger(random: Random): Case {
  const bits = random.between(1, 63);
  let value = ((BigInt(random.word()) << 32n) | BigInt(random.word())) >> BigInt(64 - bits);
  if (random.chance(0.5)) value = (value >> BigInt(Math.max(0, bits - 25))) << BigInt(Math.max(0, bits - 25));
  const word = BigInt.asUintN(64, random.chance(0.5) ? value : -value);
  // Mostly the range where the result is neither zero nor infinity.
  const exponent = random.chance(0.9) ? random.between(-180, 140) - bits : random.word() | 0;
  return [Number(word >> 32n), Number(word & 0xffffffffn), exponent >>> 0];
}

/** x, a peak and bits such that x lies near the grid: few significant bits make ties. */
function anyGridPoint(random: Random): Case {
  const peak = random.chance(0.3) ? anyFloat(random) : random.between(0, 255) << 23;
  const exponent = Math.min(254, Math.max(0, ((peak >>> 23) & 0xff) - random.between(-2, 26)));
  const near = (exponent << 23) | (random.word() & random.pick([0x7fffff, 0x7e0000, 0x400000, 0]));
  const x = random.chance(0.3) ? anyFloat(random) : (near | (random.word() & 0x80000000)) >>> 0;
  return [x, peak >>> 0, random.between(1, 22)];
}

function anyHardQuotients(random: Random, count: number): readonly Case[] {
  const half = Math.ceil(count / 2);
  return [...hardQuotients(random, half), ...subnormalQuotients(random, count - half)];
}

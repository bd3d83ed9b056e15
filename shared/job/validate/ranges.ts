/** Rules 3 and 4 of docs/numerics.md, section 4: peaks bound what they should, and no value can leave the numbers or show a subnormal. */

import { toNumber } from "../../numerics/float32.ts";
import { FLUSHED_GRID } from "../../numerics/flush.ts";
import { GUARD_LIMIT } from "../../numerics/guard.ts";
import {
  type BatchOperator,
  type DotOperator,
  Dtype,
  type GatherOperator,
  type JoinOperator,
  type MapOperator,
  type Operand,
  type Operator,
  type Reference,
  type SumByIndexOperator,
  type SumOperator,
  wordCount,
} from "../../program/descriptor.ts";
import type { Program, Tensor } from "../../program/program.ts";
import { copiesOf, type IsCopy, isSame } from "./copies.ts";
import type { Finding, Rule } from "./finding.ts";
import { instructionRange, isFaint, RangeProblem, show } from "./mapRange.ts";
import { peakCovers } from "./peakCover.ts";
import { bounded, exactRange, gridRange, magnitude, type Range, union, wordsRange } from "./range.ts";
import { dotRange, peakRange, sumByIndexRange, sumRange } from "./reductionRange.ts";
import { coversAll } from "./structure.ts";

/** Exponents of constant peaks: from Peak's own floor up to where an engine's float32 grid constants stay finite. */
const PEAK_EXPONENTS = { least: -40, most: 20 };
/** Magnitudes up to which binary64 sums of integers are exact. */
const EXACT_SUM = 2 ** 53;

/** Least and greatest number of each schedule column. */
export interface ScheduleBounds {
  readonly minimum: number;
  readonly maximum: number;
}

export interface RangeOptions {
  /** Bounds of the schedule's columns, in order; ±2^20 where absent. */
  readonly schedule?: readonly ScheduleBounds[];
}

export interface Analysis {
  readonly findings: readonly Finding[];
  /** Range of every operator's output in a valid step. */
  readonly ranges: readonly Range[];
}

/** What an operator's range is taken for when a finding leaves it unknown, so that one fault is reported once. */
const UNKNOWN = gridRange(-GUARD_LIMIT, GUARD_LIMIT, FLUSHED_GRID);
/** Peak of mode 1 of anything within the guard. */
const ANY_PEAK = gridRange(2 ** PEAK_EXPONENTS.least, GUARD_LIMIT, PEAK_EXPONENTS.least);
const ANY_INTEGER = gridRange(-(2 ** 31), 2 ** 31 - 1, 0);
/** Multiples of 2^-24 below 1. */
const UNIT = gridRange(0, 1 - 2 ** -24, -24);
const INTEGER_STATE = gridRange(-GUARD_LIMIT, GUARD_LIMIT, 0);

class Fault extends Error {
  readonly rule: Rule;

  constructor(rule: Rule, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** @param unsound operators that have findings already; their outputs count as unknown. */
export function analyse(program: Program, unsound: ReadonlySet<number | null>, options: RangeOptions = {}): Analysis {
  const findings: Finding[] = [];
  const ranges: Range[] = [];
  const guarded = guardedOperators(program);
  const constants = program.constants.map(constantRange);
  const isCopy = copiesOf(program);
  const peaks = new Map<number, Range | Fault>();
  const peakOf = (index: number): Range => {
    // Millions of words may bound thousands of operands.
    const peak = peaks.get(index) ?? constantPeak(program.constants[index]!);
    peaks.set(index, peak);
    if (peak instanceof Fault) throw peak;
    return peak;
  };
  const rangeOf = ({ kind, index }: Reference): Range => {
    if (kind === "operator") return ranges[index] ?? UNKNOWN;
    if (kind === "constant") return constants[index] ?? UNKNOWN;
    return program.state[index]?.dtype === Dtype.int32 ? INTEGER_STATE : UNKNOWN;
  };
  for (const [at, { name, operator }] of program.operators.entries()) {
    let range = UNKNOWN;
    try {
      if (!unsound.has(at)) range = outputRange({ program, rangeOf, peakOf, isCopy }, operator, options);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      findings.push({ operator: at, rule: error.rule, message: `${name}: ${error.message}` });
    }
    ranges.push(guarded.has(at) ? bounded(range, GUARD_LIMIT) : range);
  }
  for (const { name, dtype, source } of program.state) {
    if (source === null || dtype !== Dtype.float32 || (ranges[source] ?? UNKNOWN).grid >= FLUSHED_GRID) continue;
    const message = `state ${name}: its source is not flushed, it can be finer than 2^${FLUSHED_GRID}`;
    findings.push({ operator: source, rule: 4, message });
  }
  return { findings, ranges };
}

/** Operators whose whole output is measured by the guard: the loss, the sources of state, and what a Peak takes whole. */
function guardedOperators(program: Program): Set<number> {
  const guarded = new Set<number>([program.loss]);
  for (const { source } of program.state) if (source !== null) guarded.add(source);
  for (const { operator } of program.operators) {
    if (operator.family !== "peak") continue;
    const [x] = operator.operands;
    if (x.reference.kind === "operator" && coversAll(x, operator.shape, operator.length))
      guarded.add(x.reference.index);
  }
  return guarded;
}

type RangeOf = (reference: Reference) => Range;

/** What is known where an operator stands. */
interface Known {
  readonly program: Program;
  readonly rangeOf: RangeOf;
  /** Of a constant as a peak. */
  readonly peakOf: (constant: number) => Range;
  readonly isCopy: IsCopy;
}

function outputRange(known: Known, operator: Operator, options: RangeOptions): Range {
  const { program, rangeOf } = known;
  switch (operator.family) {
    case "map":
      return mapRange(operator, rangeOf);
    case "dot":
      return dotOutputRange(known, operator);
    case "sum":
    case "sumByIndex":
      return sumOutputRange(known, operator);
    case "peak":
      // What a Peak measures is within the guard, also where it takes a part of a tensor.
      return peakRange(bounded(rangeOf(operator.operands[0].reference), GUARD_LIMIT), operator.mode);
    case "gather":
      return gatherRange(operator, rangeOf);
    case "batch":
      return batchRange(program, operator);
    case "join":
      return joinRange(operator, rangeOf);
    case "random":
      return operator.dtype === Dtype.int32 ? ANY_INTEGER : UNIT;
    case "schedule": {
      const bounds = options.schedule?.[operator.column];
      if (bounds === undefined) return UNKNOWN;
      return gridRange(Math.fround(bounds.minimum), Math.fround(bounds.maximum), FLUSHED_GRID);
    }
  }
}

function mapRange({ operands, immediates, instructions }: MapOperator, rangeOf: RangeOf): Range {
  const registers = [
    ...operands.map(({ dtype, reference }) => (dtype === Dtype.int32 ? rounded : same)(rangeOf(reference))),
    ...immediates.map((word) => exactRange(toNumber(word))),
  ];
  for (const [at, [opcode, a, b, c]] of instructions.entries()) {
    const result = instructionRange(opcode, registers[a]!, registers[b]!, registers[c]!, a === b);
    if (result instanceof RangeProblem) throw new Fault(4, `instruction ${at}: ${result.reason}`);
    registers.push(result);
  }
  const output = registers.at(-1)!;
  if (isFaint(output)) throw new Fault(4, "its output can be subnormal, it is not flushed");
  return output;
}

const same = (range: Range): Range => range;
/** Integers as float32 numbers. */
const rounded = ({ low, high }: Range): Range => gridRange(Math.fround(low), Math.fround(high), 0);

function dotOutputRange(known: Known, operator: DotOperator): Range {
  const { shape, length, bits, operands } = operator;
  const [a, b, peakA, peakB] = operands;
  if (length * 2 ** (2 * bits) > EXACT_SUM) throw new Fault(3, `${length} products of ${bits} bits exceed 2^53`);
  const left = boundedOperand(known, a, peakA, shape, length);
  const right = boundedOperand(known, b, peakB, shape, length);
  return finite(dotRange(left.data, right.data, left.peak, right.peak, length, bits));
}

function sumOutputRange(known: Known, operator: SumOperator | SumByIndexOperator): Range {
  const { shape, length, bits, operands } = operator;
  if (length * 2 ** bits > EXACT_SUM) throw new Fault(3, `${length} terms of ${bits} bits exceed 2^53`);
  const { data, peak } = boundedOperand(known, operands[0], operands[1], shape, length);
  const range = operator.family === "sum" ? sumRange : sumByIndexRange;
  return finite(range(data, peak, length, bits));
}

function finite(range: Range): Range {
  if (!Number.isFinite(range.low) || !Number.isFinite(range.high)) throw new Fault(4, "its sum can overflow");
  if (isFaint(range)) throw new Fault(4, "its sum can be subnormal");
  return range;
}

/** The ranges of an operand and of the peak that bounds it. */
function boundedOperand(
  { program, rangeOf, peakOf, isCopy }: Known,
  data: Operand,
  peak: Operand,
  shape: readonly number[],
  length: number,
): { readonly data: Range; readonly peak: Range } {
  const range = rangeOf(data.reference);
  const { kind, index } = peak.reference;
  if (kind === "constant") {
    const bound = peakOf(index);
    if (bound.low < magnitude(range))
      throw new Fault(3, `the constant peak ${bound.low} does not bound values in ${show(range)}`);
    return { data: range, peak: bound };
  }
  const measure = kind === "operator" ? program.operators[index]!.operator : null;
  if (measure?.family !== "peak" || measure.mode !== 1)
    throw new Fault(3, "a peak operand is not the output of a Peak of mode 1");
  const [x] = measure.operands;
  const measured = x.reference;
  if (isSame(measured, data.reference)) {
    if (!peakCovers(data, peak, measure, shape, length))
      throw new Fault(3, "a peak operand does not measure every word that it should bound");
  } else {
    if (!isCopy(data.reference, measured))
      throw new Fault(3, `its peak measures ${measured.kind} ${measured.index} instead of what it bounds`);
    if (wordCount(measure.shape) !== 1 || !coversAll(x, measure.shape, measure.length))
      throw new Fault(3, "a peak operand does not measure the whole of what its data is a copy of");
  }
  const bound = rangeOf(peak.reference);
  return { data: bounded(range, GUARD_LIMIT), peak: bound.low > 0 ? bound : ANY_PEAK };
}

function constantPeak({ words }: Tensor): Range | Fault {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const word of words) {
    const exponent = (word >>> 23) - 127;
    if ((word & 0x7fffff) !== 0 || exponent < PEAK_EXPONENTS.least || exponent > PEAK_EXPONENTS.most)
      return new Fault(
        3,
        `a constant peak is no power of two from 2^${PEAK_EXPONENTS.least} to 2^${PEAK_EXPONENTS.most}`,
      );
    low = Math.min(low, exponent);
    high = Math.max(high, exponent);
  }
  return gridRange(2 ** low, 2 ** high, low);
}

function gatherRange({ operands: [table, index], rows }: GatherOperator, rangeOf: RangeOf): Range {
  const range = rangeOf(table.reference);
  const { low, high } = rangeOf(index.reference);
  // An index outside the rows gives zero.
  return low >= 0 && high < rows ? range : union(range, exactRange(0));
}

function joinRange({ shape, axis, ranges, operands }: JoinOperator, rangeOf: RangeOf): Range {
  const range = operands.map(({ reference }) => rangeOf(reference)).reduce(union);
  // The ranges do not overlap.
  const held = ranges.reduce((sum, { extent }) => sum + extent, 0);
  return held === shape[axis] ? range : union(range, exactRange(0));
}

function batchRange({ sample }: Program, { dtype, shape, offset }: BatchOperator): Range {
  const read = sample.fields.filter(
    (field) => field.dtype === dtype && field.offset < offset + shape[1]! && field.offset + field.width > offset,
  );
  const grid = dtype === Dtype.int32 ? 0 : FLUSHED_GRID;
  const end = dtype === Dtype.int32 ? (x: number): number => x : Math.fround;
  return read.map(({ minimum, maximum }) => gridRange(end(minimum), end(maximum), grid)).reduce(union);
}

function constantRange({ dtype, words }: Tensor): Range {
  if (dtype === Dtype.float32) return wordsRange(words);
  const numbers = new Int32Array(words.buffer, words.byteOffset, words.length);
  let [low, high] = [numbers[0]!, numbers[0]!];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return gridRange(low, high, 0);
}

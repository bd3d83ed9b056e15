/**
 * Interval analysis of Map instructions (docs/numerics.md, section 4.1). What it proves, for every execution whose operands lie in the
 * given ranges: no instruction overflows, divides by zero or takes the root of a negative number, so no NaN and no infinity
 * arises; and engines that take zero for subnormal operands or results give the same output words.
 *
 * Interval ends are exact: RN32 is monotone, so the rounded ends of an operation bound its rounded results. Each end is computed by
 * `Math.fround`, which is RN32 for these operations (`shared/numerics/float32.ts`).
 *
 * A register is *faint* when its least magnitude is below 2^-126. Engines may disagree about a faint register, but only while each has
 * some value of magnitude at most 2^-126 (the bound itself included: some machines flush what would round up to it). An instruction may
 * read a faint register in two cases. It *absorbs* it: the result is the same whatever that value is. Or it *keeps* it faint:
 * disagreeing operands give results of magnitude at most 2^-126 again, and the result is counted as faint.
 */
import { ceilLog2 } from "../../numerics/log2.ts";
import { MapOpcode } from "../../program/descriptor.ts";
import { distanceFromZero, exactRange, gridRange, holdsZero, magnitude, type Range, rangeOf, union } from "./range.ts";

/** Exponent of the least normal number. */
const LEAST_NORMAL = -126;
/** Adding a number of this magnitude or more absorbs a faint one: half the distance to the next number below it is 2^-125. */
const ABSORBING = 2 ** -100;

/** Why an instruction may not be executed on its operands. */
export class RangeProblem {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export function isFaint(range: Range): boolean {
  return range.least < LEAST_NORMAL;
}

const absorbs = (range: Range): boolean => distanceFromZero(range) >= ABSORBING;

/**
 * The range of an instruction's result.
 * @param same whether a and b are the same register.
 */
export function instructionRange(opcode: number, a: Range, b: Range, c: Range, same: boolean): Range | RangeProblem {
  const result = resultOf(opcode, a, b, c, same);
  if (result instanceof RangeProblem) return result;
  if (!Number.isFinite(result.low) || !Number.isFinite(result.high)) return new RangeProblem("it can overflow");
  const faint = faintProblem(opcode, a, b, c);
  return faint ?? result;
}

function resultOf(opcode: number, a: Range, b: Range, c: Range, same: boolean): Range | RangeProblem {
  switch (opcode) {
    case MapOpcode.add:
      return sumRange(a, b);
    case MapOpcode.sub:
      return same ? exactRange(0) : sumRange(a, negative(b));
    case MapOpcode.mul:
      return productRange(a, b, same);
    case MapOpcode.div:
      return quotientRange(a, b, same);
    case MapOpcode.sqrt:
      if (a.low < 0) return new RangeProblem(`it takes the root of a value in ${show(a)}`);
      return rangeOf(rootOf(a.low), rootOf(a.high), Math.floor(a.least / 2), Number.NEGATIVE_INFINITY);
    case MapOpcode.abs:
      return rangeOf(distanceFromZero(a), magnitude(a), a.least, a.grid);
    case MapOpcode.neg:
      return negative(a);
    case MapOpcode.max:
      return eitherOf(a, b, Math.max);
    case MapOpcode.min:
      return eitherOf(a, b, Math.min);
    case MapOpcode.less:
    case MapOpcode.equal:
      return gridRange(0, 1, 0);
    case MapOpcode.select:
      if (!holdsZero(a)) return b;
      return a.low === 0 && a.high === 0 ? c : union(b, c);
    default:
      return new RangeProblem(`there is no opcode ${opcode}`);
  }
}

/** Whether a faint operand is read by an instruction that neither absorbs it nor keeps it faint. */
function faintProblem(opcode: number, a: Range, b: Range, c: Range): RangeProblem | null {
  const problem = new RangeProblem("it reads a value that can be subnormal and is neither flushed nor absorbed");
  const both = (accepts: (other: Range) => boolean): boolean =>
    (!isFaint(a) || accepts(b)) && (!isFaint(b) || accepts(a));
  const accepted = (): boolean => {
    switch (opcode) {
      case MapOpcode.add:
      case MapOpcode.sub:
        return both(absorbs);
      case MapOpcode.mul:
        return both((other) => magnitude(other) <= 1);
      case MapOpcode.div:
        // The divisor's interval excludes zero by at least 2^-126, so it is not faint.
        return !isFaint(a) || distanceFromZero(b) >= 1;
      case MapOpcode.abs:
      case MapOpcode.neg:
      case MapOpcode.max:
      case MapOpcode.min:
        return true;
      case MapOpcode.less:
      case MapOpcode.equal:
        return both(absorbs);
      case MapOpcode.select:
        return !isFaint(a);
      default:
        return !isFaint(a) && !isFaint(b) && !isFaint(c);
    }
  };
  return accepted() ? null : problem;
}

/**
 * a + b. With L the greater of the two leasts: when both are non-zero, either |a + b| ≥ 2^(L − 1), so that the result is a multiple of
 * 2^(L − 24); or the lesser of them is above 2^(L − 1) too, so that both are multiples of 2^(L − 24).
 */
function sumRange(a: Range, b: Range): Range {
  const [low, high] = [Math.fround(a.low + b.low), Math.fround(a.high + b.high)];
  const cancelled = Math.max(Math.max(a.least, b.least) - 24, Math.min(a.grid, b.grid));
  const sameSign = (a.low >= 0 && b.low >= 0) || (a.high <= 0 && b.high <= 0);
  const cases = [{ least: sameSign ? Math.max(a.least, b.least) : cancelled, grid: cancelled }];
  // Where one of them is zero, the result is the other.
  if (holdsZero(a)) cases.push(b);
  if (holdsZero(b)) cases.push(a);
  const least = Math.min(...cases.map((each) => each.least));
  return rangeOf(low, high, least, Math.min(...cases.map((each) => each.grid)));
}

function productRange(a: Range, b: Range, same: boolean): Range {
  const ends = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high].map(Math.fround);
  const away = distanceFromZero(a);
  const [low, high] = same
    ? [Math.fround(away * away), Math.fround(magnitude(a) ** 2)]
    : [Math.min(...ends), Math.max(...ends)];
  return rangeOf(low, high, a.least + b.least, a.grid + b.grid);
}

function quotientRange(a: Range, b: Range, same: boolean): Range | RangeProblem {
  if (distanceFromZero(b) < 2 ** LEAST_NORMAL) return new RangeProblem(`it divides by a value in ${show(b)}`);
  if (same) return exactRange(1);
  const ends = [a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high].map(Math.fround);
  const least = a.least - ceilLog2(magnitude(b));
  return rangeOf(Math.min(...ends), Math.max(...ends), least, Number.NEGATIVE_INFINITY);
}

/** max or min: one of the operands. A faint one is absorbed where the other always wins against it: then the result's interval excludes zero. */
function eitherOf(a: Range, b: Range, choose: (x: number, y: number) => number): Range {
  const [low, high] = [choose(a.low, b.low), choose(a.high, b.high)];
  return rangeOf(low, high, Math.min(a.least, b.least), Math.min(a.grid, b.grid));
}

function negative(range: Range): Range {
  return { ...range, low: 0 - range.high, high: 0 - range.low };
}

function rootOf(x: number): number {
  return Math.fround(Math.sqrt(x));
}

export function show({ low, high }: Range): string {
  return `[${low}, ${high}]`;
}

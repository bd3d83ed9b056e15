/**
 * Exact sums without float64: float32 tensors of integers (times a unit, a power of two for each element) are added without any rounding and
 * rounded once at the end.
 *
 * The sum is kept as low + mid + high, multiples of 1, 2^18 and 2^36 units of which none is more than 2^24 grid steps large, so float32 holds
 * each exactly. A carry makes |low| ≤ 2^17 and |mid| ≤ 2^35.
 *
 * Why the end rounds once. After a carry let X = high + mid, a multiple of 2^18, s = RN32(X) and e = X − s, which float32 holds (Dekker 1971,
 * FastTwoSum: |high| ≥ |mid| or high = 0). If e = 0, RN32(s + low) is RN32 of the sum. If e ≠ 0, X is not a float32: it lies strictly between two
 * powers of two 2^k < |X| < 2^(k+1) with k ≥ 42, both multiples of 2^18; so does the sum, as |low| < 2^18, and float32s and the middles between them are multiples
 * of 2^(k−24) ≥ 2^18 there. Rounding is constant strictly between two neighbouring multiples of 2^18; so low may be replaced by
 * sign(low) · 2^17. Then e + low is a multiple of 2^17 of at most 2^36 and exact, and s + (e + low) is rounded once. Nothing is subnormal: all is a
 * multiple of the unit, at least 2^-126.
 */
import { OnnxType } from "../../onnx/model.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { elementwise } from "./nodes.ts";

/** Integers up to here are float32s. */
export const EXACT = 2 ** 24;
const GRIDS = [1, 2 ** 18, 2 ** 36] as const;
/** Largest term, in units: the shift of `snap` rounds numbers of up to 2^22 steps. */
const LARGEST_TERM = 2 ** 58;

/** What is known of a term: every element is a multiple of `grid` and at most `bound`, in units. */
export interface Term {
  readonly value: Value;
  readonly grid: number;
  readonly bound: number;
}

/** Adds up parts of a term: `count` elements of the term make one of the sum. */
export interface Fold {
  readonly count: number;
  apply(value: Value): Value;
}

const KEEP: Fold = { count: 1, apply: (value) => value };

/** Parts of a term that a fold may add up at a time. */
export const MOST_FOLDED = 64;

interface Part {
  readonly value: Value;
  /** In steps of the part's grid. */
  readonly bound: number;
}

export class Float32Sum {
  readonly #graph: GraphBuilder;
  readonly #unit: Value;
  readonly #parts: (Part | null)[] = [null, null, null];

  /** @param unit broadcasts to the terms; each is at least 2^-126 and at most 2^60. */
  constructor(graph: GraphBuilder, unit: Value) {
    this.#graph = graph;
    this.#unit = unit;
  }

  /** A term whose fold adds at most `MOST_FOLDED` elements; one that fits float32 as a whole may be folded as far as it does. */
  add({ value, grid, bound }: Term, fold: Fold = KEEP): void {
    if (bound > LARGEST_TERM) throw new RangeError(`a term of ${bound} units is too large`);
    if (bound * fold.count + (this.#parts[0]?.bound ?? 0) <= EXACT) {
      this.#include(0, value, bound, fold);
      return;
    }
    let rest = value;
    let restBound = bound;
    for (const part of [2, 1] as const) {
      if (grid >= GRIDS[part]) {
        this.#include(part, rest, restBound / GRIDS[part], fold);
        return;
      }
      if (restBound <= GRIDS[part] / 2) continue;
      const piece = this.#snap(rest, GRIDS[part]);
      this.#include(part, piece, Math.ceil(restBound / GRIDS[part]), fold);
      rest = elementwise(this.#graph, "Sub", [rest, piece]);
      restBound = GRIDS[part] / 2;
    }
    this.#include(0, rest, restBound, fold);
  }

  /** RN32 of the sum. */
  rounded(): Value {
    const graph = this.#graph;
    this.#carry();
    const [low, mid, high] = this.#parts.map((part) => part?.value);
    if (high === undefined || mid === undefined) {
      const present = [low, mid, high].filter((value) => value !== undefined);
      // At most two, each exact.
      return present.length === 1 ? present[0]! : elementwise(graph, "Add", present);
    }
    const s = elementwise(graph, "Add", [high, mid]);
    const e = elementwise(graph, "Sub", [mid, elementwise(graph, "Sub", [s, high])]);
    if (low === undefined) return s;
    const half = this.#scaled(2 ** 17);
    const least = elementwise(graph, "Neg", [half]);
    const sign = elementwise(graph, "Max", [
      elementwise(graph, "Min", [elementwise(graph, "Mul", [low, graph.float(2 ** 18)]), half]),
      least,
    ]);
    const exact = elementwise(graph, "Equal", [e, graph.float(0)], OnnxType.bool);
    const rest = elementwise(graph, "Where", [exact, low, sign], OnnxType.float32);
    return elementwise(graph, "Add", [s, elementwise(graph, "Add", [e, rest])]);
  }

  #include(part: 0 | 1 | 2, value: Value, bound: number, fold: Fold): void {
    const folded = bound * fold.count;
    if ((this.#parts[part]?.bound ?? 0) + folded > EXACT) this.#carry();
    this.#plus(part, fold.apply(value), folded);
  }

  #plus(part: 0 | 1 | 2, value: Value, bound: number): void {
    const before = this.#parts[part];
    const total = (before?.bound ?? 0) + bound;
    if (total > EXACT) throw new RangeError(`a sum of ${total} steps of part ${part} is too large`);
    this.#parts[part] = before
      ? { value: elementwise(this.#graph, "Add", [before.value, value]), bound: total }
      : { value, bound };
  }

  /** From mid to high first, which makes room for what comes from low. */
  #carry(): void {
    this.#carryFrom(1);
    this.#carryFrom(0);
    this.#carryFrom(1);
  }

  #carryFrom(part: 0 | 1): void {
    const from = this.#parts[part];
    if (!from || from.bound <= 2 ** 17) return;
    const step = GRIDS[part === 0 ? 1 : 2];
    const piece = this.#snap(from.value, step);
    this.#parts[part] = { value: elementwise(this.#graph, "Sub", [from.value, piece]), bound: 2 ** 17 };
    this.#plus(part === 0 ? 1 : 2, piece, Math.ceil((from.bound * GRIDS[part]) / step));
  }

  /** The nearest multiple of `grid` units. */
  #snap(value: Value, grid: number): Value {
    const shift = this.#scaled(1.5 * 2 ** 23 * grid);
    return elementwise(this.#graph, "Sub", [elementwise(this.#graph, "Add", [value, shift]), shift]);
  }

  #scaled(factor: number): Value {
    return elementwise(this.#graph, "Mul", [this.#unit, this.#graph.float(factor)]);
  }
}

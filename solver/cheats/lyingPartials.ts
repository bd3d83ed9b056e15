/**
 * Partial results of an element that is a lie: the exact ones, with the difference put into one part, so that they combine to the
 * claim at every level.
 */
import type { ClaimPartials } from "../../shared/dispute/defendant.ts";
import { asReducing, partialValues } from "../../shared/dispute/partials.ts";
import { partsOf } from "../../shared/dispute/parts.ts";
import { readerOf } from "../../shared/dispute/stepReader.ts";
import { combine, finish } from "../../shared/operators/element.ts";

export const lyingPartials: ClaimPartials = async (run, evidence, walk) => {
  const { step, tensor, element, lo, hi } = walk.position;
  const operator = asReducing(run.program.operators[tensor]!.operator);
  const { outputs } = await evidence.step(step);
  const read = readerOf(run, operator, outputs, (await evidence.before(step)).state);
  const exact = partialValues(operator, walk.wordAt(element), { lo, hi }, read);
  const used = partsOf({ lo, hi }).filter((part) => part.lo < part.hi).length;
  const word = walk.tile![element]!;
  const total = combine(operator, exact.values);
  if (operator.family === "peak") {
    const target = walk.claim ?? (finish(operator, total, 0) === word ? total : BigInt(word));
    return { exponent: 0n, values: clip(exact.values, target, element % used) };
  }
  const own = BigInt(exact.exponent);
  const isTrue = walk.claim === null && finish(operator, total, own) === word;
  // The first claim fixes the scale of the whole dispute; a word with finer digits than the exact sum needs a finer one.
  const exponent = walk.exponent ?? (isTrue ? own : least(own, unitOf(word)));
  const scaled = exact.values.map((value) => value << (own - exponent));
  if (isTrue) return { exponent, values: scaled };
  const target = walk.claim ?? integerOf(word, exponent);
  const part = element % used;
  return { exponent, values: scaled.with(part, scaled[part]! + target - combine(operator, scaled)) };
};

/** Maxima whose greatest is `target`. */
function clip(maxima: readonly bigint[], target: bigint, part: number): readonly bigint[] {
  const clipped = maxima.map((value) => (value > target ? target : value));
  return clipped.includes(target) ? clipped : clipped.with(part, target);
}

/** Exponent of a float32 word's last digit. */
function unitOf(word: number): bigint {
  return BigInt(Math.max(1, (word >>> 23) & 0xff) - 150);
}

/** A finite float32 word as an integer times 2^exponent; exponent ≤ unitOf(word). */
function integerOf(word: number, exponent: bigint): bigint {
  const field = (word >>> 23) & 0xff;
  const significand = BigInt((word & 0x7fffff) | (field === 0 ? 0 : 0x800000));
  const magnitude = significand << (unitOf(word) - exponent);
  return word >>> 31 === 0 ? magnitude : -magnitude;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

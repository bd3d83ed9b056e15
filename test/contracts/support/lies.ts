/** Lies about one word of one operator's output, with the partial results that keep them up. */

import type { Job } from "../../../shared/job/job.ts";
import { finish, partialValue, type ReducingOperator } from "../../../shared/operators/element.ts";
import { wordCount } from "../../../shared/program/descriptor.ts";
import { reduces } from "../../../shared/program/encoding.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { readOf } from "../../helpers/elements.ts";
import type { Random } from "../../helpers/random.ts";
import type { Lie } from "./claimed.ts";

export interface OutputLie {
  readonly lie: Lie;
  readonly partial?: (value: bigint, lo: number, hi: number) => bigint;
}

/** A wrong word at `element` of `operator`'s output in `step` of the segment. */
export function lieAbout(job: Job, random: Random, step: number, operator: number, element: number): OutputLie {
  const described = job.program.operators[operator]!.operator;
  if (!reduces(described.family)) {
    const flip = 1 << random.below(32);
    const lie = tamper(step, (outputs) => {
      outputs[operator]![element]! ^= flip;
    });
    return { lie };
  }
  const reducing = described as ReducingOperator;
  const place = random.below(reducing.length);
  const peak = reducing.family === "peak";
  // Larger than any valid value of a peak; for a sum the least power of two that changes the rounded result.
  let added = peak ? 0x50000000n : 1n;
  const lie = tamper(step, (outputs, state) => {
    const read = readOf(job, reducing, outputs.map(tensor), state.map(tensor));
    const { value, exponent } = partialValue(reducing, element, 0, reducing.length, read);
    const truth = finish(reducing, value, exponent);
    if (!peak) while (finish(reducing, value + added, exponent) === truth) added *= 2n;
    outputs[operator]![element] = finish(reducing, peak ? added : value + added, exponent);
  });
  const partial = (value: bigint, lo: number, hi: number): bigint => {
    if (place < lo || place >= hi) return value;
    return peak ? added : value + added;
  };
  return { lie, partial };
}

function tamper(step: number, change: (outputs: Uint32Array[], state: readonly Uint32Array[]) => void): Lie {
  return {
    outputs: (at, outputs, state) => {
      if (at === step) change(outputs, state);
    },
  };
}

function tensor(words: Uint32Array): Tensor {
  return { dtype: 0, shape: [words.length], words };
}

/** A random place in a trace. */
export function randomPlace(job: Job, random: Random, stepCount: number) {
  const operator = random.below(job.program.operators.length);
  const element = random.below(wordCount(job.program.operators[operator]!.operator.shape));
  return { step: random.below(stepCount), operator, element };
}

/**
 * A small training job with every operator family, reductions longer than one tile, tensors with and without padding, a constant
 * and a state tensor that never changes: a two-layer linear model with an embedding, trained by momentum. Written by hand,
 * so that nothing here depends on the compiler.
 */

import { fromNumber } from "../../shared/numerics/float32.ts";
import { initialWords } from "../../shared/numerics/philox.ts";
import {
  Dtype,
  type MapInstruction,
  MapOpcode,
  type Operand,
  type Operator,
  type Reference,
  wordCount,
} from "../../shared/program/descriptor.ts";
import type { Job } from "../../shared/program/job.ts";
import type { NamedOperator, Program, StateTensor, Tensor } from "../../shared/program/program.ts";

const BATCH = 8;
const WIDTH = 150;
const OUT = 6;
const VOCABULARY = 20;
const BITS = 20;
const SAMPLE_WORDS = 1 + WIDTH;

const words = (...values: number[]): number[] => values.map(fromNumber);

/** Float32 values in [−scale, scale), seeded. */
export function randomTensor(seed: bigint, tensor: number, shape: readonly number[], scale: number): Tensor {
  const bits = initialWords(seed, tensor, wordCount(shape));
  const values = Uint32Array.from(bits, (word) => fromNumber(((word >>> 8) / 2 ** 23 - 1) * scale));
  return { dtype: Dtype.float32, shape, words: values };
}

class Builder {
  readonly operators: NamedOperator[] = [];
  readonly #shapes: { dtype: Dtype; shape: readonly number[] }[] = [];

  add(name: string, operator: Operator): number {
    this.#shapes.push(operator);
    this.operators.push({ name, operator });
    return this.operators.length - 1;
  }

  /** An operand on an earlier operator. */
  of(index: number, strides: readonly number[], offset = 0): Operand {
    const { dtype, shape } = this.#shapes[index]!;
    return operand({ kind: "operator", index }, dtype, wordCount(shape), strides, offset);
  }

  map(
    name: string,
    shape: readonly number[],
    operands: Operand[],
    instructions: MapInstruction[],
    immediates: number[],
  ) {
    return this.add(name, {
      family: "map",
      dtype: Dtype.float32,
      shape,
      operands,
      immediates: words(...immediates),
      instructions,
    });
  }

  /** The power of two that bounds a whole tensor. */
  peak(name: string, x: Operand, mode: 0 | 1 = 1) {
    const whole = { ...x, offset: 0, strides: [1] };
    return this.add(name, {
      family: "peak",
      dtype: Dtype.float32,
      shape: [],
      length: x.count,
      mode,
      operands: [whole],
    });
  }

  dot(name: string, shape: readonly number[], length: number, a: Operand, b: Operand, peakA: number, peakB: number) {
    const none = new Array<number>(shape.length + 1).fill(0);
    return this.add(name, {
      family: "dot",
      dtype: Dtype.float32,
      shape,
      length,
      bits: BITS,
      operands: [a, b, this.of(peakA, none), this.of(peakB, none)],
    });
  }
}

function operand(reference: Reference, dtype: Dtype, count: number, strides: readonly number[], offset = 0): Operand {
  return { reference, dtype, count, offset, strides };
}

const WEIGHT = 0;
const MOMENTUM = 1;
const EMBEDDING = 2;
const MASK = 3;

/** The program; the state is weight, its momentum, an embedding table and a mask that stays as it is. */
export function smallProgram(): Program {
  const b = new Builder();
  const float = Dtype.float32;
  const weight = (strides: readonly number[]) => operand({ kind: "state", index: WEIGHT }, float, WIDTH * OUT, strides);
  const momentum = operand({ kind: "state", index: MOMENTUM }, float, WIDTH * OUT, [OUT, 1]);
  const embedding = (strides: readonly number[]) =>
    operand({ kind: "state", index: EMBEDDING }, float, VOCABULARY * WIDTH, strides);
  const mask = operand({ kind: "state", index: MASK }, float, 3, [0, 0]);
  const target = operand({ kind: "constant", index: 0 }, float, OUT, [0, 1]);

  const token = b.add("token", { family: "batch", dtype: Dtype.int32, shape: [BATCH, 1], offset: 0, operands: [] });
  const x = b.add("x", { family: "batch", dtype: float, shape: [BATCH, WIDTH], offset: 1, operands: [] });
  const rate = b.add("rate", { family: "schedule", dtype: float, shape: [1], column: 1, operands: [] });
  const row = b.add("embed", {
    family: "gather",
    dtype: float,
    shape: [BATCH, WIDTH],
    rowStride: WIDTH,
    rows: VOCABULARY,
    operands: [embedding([0, 1]), b.of(token, [1, 0])],
  });
  const hidden = b.map(
    "hidden",
    [BATCH, WIDTH],
    [b.of(row, [WIDTH, 1]), b.of(x, [WIDTH, 1]), mask],
    [
      [MapOpcode.mul, 0, 1, 0],
      [MapOpcode.add, 3, 1, 0],
      [MapOpcode.mul, 4, 2, 0],
    ],
    [],
  );
  const hiddenPeak = b.peak("hidden.peak", b.of(hidden, [1]));
  const weightPeak = b.peak("weight.peak", weight([1]));
  const y = b.dot("y", [BATCH, OUT], WIDTH, b.of(hidden, [WIDTH, 0, 1]), weight([0, 1, OUT]), hiddenPeak, weightPeak);
  const error = b.map("error", [BATCH, OUT], [b.of(y, [OUT, 1]), target], [[MapOpcode.sub, 0, 1, 0]], []);
  const errorPeak = b.peak("error.peak", b.of(error, [1]));
  const square = b.map("square", [BATCH, OUT], [b.of(error, [OUT, 1])], [[MapOpcode.mul, 0, 0, 0]], []);
  const squarePeak = b.peak("square.peak", b.of(square, [1]));
  const loss = b.add("loss", {
    family: "sum",
    dtype: float,
    shape: [],
    length: BATCH * OUT,
    bits: BITS,
    operands: [b.of(square, [1]), b.of(squarePeak, [0])],
  });
  const weightGradient = b.dot(
    "weight.gradient",
    [WIDTH, OUT],
    BATCH,
    b.of(hidden, [1, 0, WIDTH]),
    b.of(error, [0, 1, OUT]),
    hiddenPeak,
    errorPeak,
  );
  const hiddenGradient = b.dot(
    "hidden.gradient",
    [BATCH, WIDTH],
    OUT,
    b.of(error, [OUT, 0, 1]),
    weight([0, OUT, 1]),
    errorPeak,
    weightPeak,
  );
  const rowGradient = b.map(
    "row.gradient",
    [BATCH, WIDTH],
    [b.of(hiddenGradient, [WIDTH, 1]), b.of(x, [WIDTH, 1])],
    [[MapOpcode.mul, 0, 1, 0]],
    [],
  );
  const rowPeak = b.peak("row.peak", b.of(rowGradient, [1]));
  const embeddingGradient = b.add("embedding.gradient", {
    family: "sumByIndex",
    dtype: float,
    shape: [VOCABULARY, WIDTH],
    length: BATCH,
    bits: BITS,
    axis: 0,
    operands: [b.of(rowGradient, [0, 1, WIDTH]), b.of(rowPeak, [0, 0, 0]), b.of(token, [0, 0, 1])],
  });
  const newMomentum = b.map(
    "weight.m.new",
    [WIDTH, OUT],
    [momentum, b.of(weightGradient, [OUT, 1])],
    [
      [MapOpcode.mul, 0, 2, 0],
      [MapOpcode.add, 3, 1, 0],
    ],
    [0.875],
  );
  const newWeight = b.map(
    "weight.new",
    [WIDTH, OUT],
    [weight([OUT, 1]), b.of(newMomentum, [OUT, 1]), b.of(rate, [0, 0])],
    [
      [MapOpcode.mul, 1, 2, 0],
      [MapOpcode.sub, 0, 3, 0],
    ],
    [],
  );
  const newEmbedding = b.map(
    "embedding.new",
    [VOCABULARY, WIDTH],
    [embedding([WIDTH, 1]), b.of(embeddingGradient, [WIDTH, 1]), b.of(rate, [0, 0])],
    [
      [MapOpcode.mul, 1, 2, 0],
      [MapOpcode.sub, 0, 3, 0],
    ],
    [],
  );
  const state: StateTensor[] = [
    { name: "weight", dtype: float, shape: [WIDTH, OUT], source: newWeight },
    { name: "weight.m", dtype: float, shape: [WIDTH, OUT], source: newMomentum },
    { name: "embedding", dtype: float, shape: [VOCABULARY, WIDTH], source: newEmbedding },
    { name: "mask", dtype: float, shape: [3], source: null },
  ];
  return {
    operators: b.operators,
    state,
    constants: [{ dtype: float, shape: [OUT], words: Uint32Array.from(words(0.5, -0.25, 0.125, 1, -1, 0.75)) }],
    sample: {
      words: SAMPLE_WORDS,
      fields: [
        { name: "token", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: VOCABULARY - 1 },
        { name: "x", dtype: float, offset: 1, width: WIDTH, minimum: -1, maximum: 1 },
      ],
    },
    scheduleColumns: ["warmup", "rate"],
    loss,
    logits: y,
  };
}

export interface SmallJobOptions {
  readonly steps?: number;
  readonly interval?: number;
  readonly seed?: bigint;
}

export function smallJob({ steps = 10, interval = 5, seed = 7n }: SmallJobOptions = {}): Job {
  const program = smallProgram();
  const samples = 40;
  const data = new Uint32Array(samples * SAMPLE_WORDS);
  for (let sample = 0; sample < samples; sample++) {
    const values = randomTensor(seed, 100 + sample, [SAMPLE_WORDS], 1).words;
    data.set(values, sample * SAMPLE_WORDS);
    data[sample * SAMPLE_WORDS] = values[0]! % VOCABULARY;
  }
  const schedule = Uint32Array.from({ length: steps * 2 }, (_, at) =>
    fromNumber(at % 2 === 0 ? 1 : 2 ** -7 / (1 + at)),
  );
  return { program, samples: data, schedule, seed, steps, interval };
}

export function smallInitialState(seed = 7n): Tensor[] {
  return smallProgram().state.map(({ shape, source, dtype }, tensor) =>
    source === null
      ? { dtype, shape, words: new Uint32Array(wordCount(shape)).fill(fromNumber(1)) }
      : randomTensor(seed, tensor, shape, 0.25),
  );
}

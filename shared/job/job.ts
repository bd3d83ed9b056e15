/**
 * A job: everything besides the state that determines every step of a training run. Pure functions of it say which steps a
 * segment covers and what a step reads (docs/protocol.md, section 1.2; docs/numerics.md, sections 2.9 and 2.10).
 */

import { TouchstoneError } from "../errors.ts";
import { canonical } from "../numerics/float32.ts";
import { randomWords } from "../numerics/philox.ts";
import { batchSamples } from "../operators/batch.ts";
import { unitNumber } from "../operators/random.ts";
import type { StepPosition } from "../operators/read.ts";
import { scheduleElement } from "../operators/schedule.ts";
import { type BatchOperator, Dtype, type RandomOperator, wordCount } from "../program/descriptor.ts";
import type { Program, Tensor } from "../program/program.ts";
import type { SourceOutputs, StepInputs } from "../program/stepInputs.ts";
import { atOnce, inTurns } from "../turns.ts";

export interface Job {
  readonly program: Program;
  /** `[sampleCount, program.sample.words]` words. */
  readonly samples: Uint32Array;
  /** `[steps, program.scheduleColumns.length]` float32 words. */
  readonly schedule: Uint32Array;
  /** 64-bit seed of the sample order. */
  readonly seed: bigint;
  readonly steps: number;
  /** Steps between checkpoints; the last segment may be shorter. */
  readonly interval: number;
}

/** A job whose parts do not fit together, or a step or segment that it does not have. */
export class JobError extends TouchstoneError {
  readonly code = "JOB";

  constructor(detail: string) {
    super(`${detail}.`);
  }
}

/** @throws JobError when a number is out of range, or the dataset or the schedule has another size than program and steps say. */
export function requireJob(job: Job): void {
  const requires = (condition: boolean, detail: string): void => {
    if (!condition) throw new JobError(detail);
  };
  const positive = (value: number): boolean => Number.isInteger(value) && value >= 1 && value < 2 ** 32;
  requires(positive(job.steps), `${job.steps} steps`);
  requires(positive(job.interval), `A checkpoint interval of ${job.interval} steps`);
  requires(job.seed >= 0n && job.seed < 1n << 64n, `Seed ${job.seed} is not a 64-bit number`);
  const { words } = job.program.sample;
  if (words > 0)
    requires(
      job.samples.length % words === 0,
      `${job.samples.length} words are no whole number of samples of ${words}`,
    );
  else requires(job.samples.length === 0, "Samples of no words have words");
  const reads = job.program.operators.some(({ operator }) => operator.family === "batch");
  requires(!reads || sampleCount(job) >= 1, "The program reads samples and there are none");
  const table = job.steps * job.program.scheduleColumns.length;
  requires(job.schedule.length === table, `The schedule has ${job.schedule.length} words instead of ${table}`);
}

export function sampleCount({ samples, program }: Job): number {
  return program.sample.words === 0 ? 0 : samples.length / program.sample.words;
}

export function segmentCount({ steps, interval }: Pick<Job, "steps" | "interval">): number {
  return Math.ceil(steps / interval);
}

/** First step of a segment and the number of its steps. @throws JobError when there is no such segment. */
export function segmentSteps(
  job: Pick<Job, "steps" | "interval">,
  segment: number,
): { readonly firstStep: number; readonly stepCount: number } {
  const segments = segmentCount(job);
  if (!Number.isInteger(segment) || segment < 0 || segment >= segments)
    throw new JobError(`There is no segment ${segment}, they are numbered 0 to ${segments - 1}`);
  const firstStep = segment * job.interval;
  return { firstStep, stepCount: Math.min(job.interval, job.steps - firstStep) };
}

/** What the source operators depend on. @throws JobError when there is no such step. */
export function stepPosition(job: Job, step: number): StepPosition {
  if (!Number.isInteger(step) || step < 0 || step >= job.steps)
    throw new JobError(`There is no step ${step}, they are numbered 0 to ${job.steps - 1}`);
  return {
    seed: job.seed,
    step,
    steps: job.steps,
    sampleCount: sampleCount(job),
    sampleWords: job.program.sample.words,
    scheduleWidth: job.program.scheduleColumns.length,
  };
}

/** The outputs of the operators without operands at step `step`, canonical words. @throws JobError when there is no such step. */
export function sourceOutputs(job: Job, step: number): SourceOutputs {
  return atOnce(makeSources(job, stepPosition(job, step)));
}

/**
 * The same with turns for others where there is much to make: for programs that have clocks to keep meanwhile.
 * @throws JobError when there is no such step.
 */
export function sourceOutputsInTurns(job: Job, step: number): SourceOutputs | Promise<SourceOutputs> {
  return inTurns(makeSources(job, stepPosition(job, step)));
}

/** Everything that step `step` reads. @throws JobError when there is no such step. */
export function stepInputs(job: Job, step: number, state: readonly Tensor[]): StepInputs {
  return { state, ...sourceOutputs(job, step) };
}

/** The same with turns for others, as `sourceOutputsInTurns`. */
export async function stepInputsInTurns(job: Job, step: number, state: readonly Tensor[]): Promise<StepInputs> {
  return { state, ...(await sourceOutputsInTurns(job, step)) };
}

/** Words that are made, or rows that are looked up, between two turns. */
const PIECE = { words: 2 ** 16, rows: 2 ** 12 } as const;
/** What looking up a row costs, in words that are made meanwhile: a row of a small epoch needs keys of its own. */
const ROW_COST = 32;

function* makeSources(job: Job, position: StepPosition): Generator<number, SourceOutputs> {
  const batches = new Map<number, Tensor>();
  const schedule = new Map<number, Tensor>();
  const random = new Map<number, Tensor>();
  /** Operators of one order and as many rows read the same samples. */
  const rows = new Map<string, Uint32Array>();
  for (const [at, { operator }] of job.program.operators.entries()) {
    if (operator.family === "batch") batches.set(at, yield* batchTensor(operator, job, position, rows));
    else if (operator.family === "random") random.set(at, yield* makeRandom(operator, position));
    else if (operator.family === "schedule") {
      const word = scheduleElement(operator, (_, address) => job.schedule[address]!, position);
      const { dtype, shape } = operator;
      schedule.set(at, { dtype, shape, words: new Uint32Array(wordCount(shape)).fill(word) });
    }
  }
  return { batches, schedule, random };
}

/** The numbers that a random operator gives at a step. */
export function randomTensor(operator: RandomOperator, position: Pick<StepPosition, "seed" | "step">): Tensor {
  return atOnce(makeRandom(operator, position));
}

function* makeRandom(
  { dtype, shape, stream }: RandomOperator,
  { seed, step }: Pick<StepPosition, "seed" | "step">,
): Generator<number, Tensor> {
  const words = new Uint32Array(wordCount(shape));
  const numbers = new Float32Array(words.buffer);
  for (let first = 0; first < words.length; first += PIECE.words) {
    const piece = randomWords(seed, step, stream, Math.min(PIECE.words, words.length - first), first);
    if (dtype === Dtype.int32) words.set(piece, first);
    else for (let i = 0; i < piece.length; i++) numbers[first + i] = unitNumber(piece[i]!);
    yield piece.length;
  }
  return { dtype, shape, words } satisfies Tensor;
}

function* batchTensor(operator: BatchOperator, job: Job, position: StepPosition, known: Map<string, Uint32Array>) {
  const { dtype, shape } = operator;
  const [rows, width] = shape as [number, number];
  const words = new Uint32Array(rows * width);
  const end = Math.min(operator.offset + width, position.sampleWords);
  if (position.sampleCount === 0 || end <= operator.offset) return { dtype, shape, words } satisfies Tensor;
  const key = `${operator.order} ${rows}`;
  const samples = known.get(key) ?? (yield* batchRows(operator, rows, position));
  known.set(key, samples);
  let made = 0;
  for (let row = 0; row < rows; row++) {
    const start = samples[row]! * position.sampleWords;
    const target = words.subarray(row * width, (row + 1) * width);
    target.set(job.samples.subarray(start + operator.offset, start + end));
    if (dtype === Dtype.float32) for (let at = 0; at < target.length; at++) target[at] = canonical(target[at]!);
    made += width;
    if (made < PIECE.words) continue;
    yield made;
    made = 0;
  }
  return { dtype, shape, words } satisfies Tensor;
}

/** The samples that the rows of a batch are. */
function* batchRows(operator: BatchOperator, rows: number, position: StepPosition): Generator<number, Uint32Array> {
  const sampleOf = batchSamples(operator, position);
  const samples = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    samples[row] = sampleOf(row);
    if (row % PIECE.rows === PIECE.rows - 1) yield PIECE.rows * ROW_COST;
  }
  return samples;
}

/** What a trained model is worth: its loss on held-out samples, how often it is right, and text that it writes. Runs on any engine. */
import type { Engine } from "../shared/engine/engine.ts";
import { randomTensor } from "../shared/job/job.ts";
import { NOT_RANDOM } from "../shared/layers/random.ts";
import { fromNumber } from "../shared/numerics/float32.ts";
import { keyOf, philox4x32 } from "../shared/numerics/philox.ts";
import { Dtype, type RandomOperator, wordCount } from "../shared/program/descriptor.ts";
import type { Program, SampleField, Tensor } from "../shared/program/program.ts";
import type { StepInputs } from "../shared/program/stepInputs.ts";

export interface Evaluation {
  /** Mean of the program's own loss. */
  readonly loss: number;
  /** Share of the targets whose logit is the greatest of their row; null where the model does not choose among classes. */
  readonly accuracy: number | null;
  /** Samples that were evaluated: whole batches only. */
  readonly samples: number;
}

/** What stands for the output of a random operator. */
type Drawn = (operator: RandomOperator) => Tensor;

/** Where a classifier's answers are: `positions` rows of `classes` logits for each sample. */
interface Classification {
  readonly logits: number;
  readonly classes: number;
  readonly target: SampleField;
}

export class TrainedModel {
  readonly #engine: Engine;
  readonly #program: Program;
  readonly #state: readonly Tensor[];
  readonly #batch: number;

  /** @param program one that reads samples; where it has logits and an int32 field `target`, it is taken as a classifier. */
  constructor(engine: Engine, program: Program, state: readonly Tensor[]) {
    this.#engine = engine;
    this.#program = program;
    this.#state = state;
    const batch = program.operators.find(({ operator }) => operator.family === "batch")?.operator.shape[0];
    if (batch === undefined) throw new RangeError("the program reads no batch");
    this.#batch = batch;
  }

  /**
   * Loss and accuracy over samples `[N, words]`. Samples beyond the last whole batch are left out.
   * @param limit samples evaluated at most.
   */
  async evaluate(samples: Uint32Array, limit = Number.POSITIVE_INFINITY): Promise<Evaluation> {
    const { words } = this.#program.sample;
    const batches = this.#batches(samples, limit);
    const classification = this.#classification();
    let sum = 0;
    const counts = { right: 0, all: 0 };
    for (let batch = 0; batch < batches; batch++) {
      const rows = samples.subarray(batch * this.#batch * words, (batch + 1) * this.#batch * words);
      const inputs = this.#inputs((row) => rows.subarray(row * words, (row + 1) * words));
      if (classification === null) sum += (await this.#engine.step(inputs)).loss;
      else {
        const { loss, outputs } = await this.#engine.trace(inputs);
        sum += loss;
        countRight(outputs[classification.logits]!, classification, rows, words, counts);
      }
    }
    const accuracy = counts.all === 0 ? null : counts.right / counts.all;
    return { loss: sum / batches, accuracy, samples: batches * this.#batch };
  }

  /**
   * The model's prediction for samples `[N, words]`, with random numbers of a seed: rows of numbers for whole batches only.
   * @param limit samples at most.
   * @throws RangeError for fewer samples than a batch, or where the program names no prediction.
   */
  async predict(samples: Uint32Array, seed: bigint, limit = Number.POSITIVE_INFINITY): Promise<Float32Array> {
    const { sample, logits } = this.#program;
    if (logits === null) throw new RangeError("the program names no prediction");
    const batches = this.#batches(samples, limit);
    const parts: Uint32Array[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const first = batch * this.#batch;
      const rowOf = (row: number) => samples.subarray((first + row) * sample.words, (first + row + 1) * sample.words);
      const inputs = this.#inputs(rowOf, (operator) => randomTensor(operator, { seed, step: batch }));
      parts.push((await this.#engine.trace(inputs)).outputs[logits]!.words);
    }
    const words = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      words.set(part, at);
      at += part.length;
    }
    return new Float32Array(words.buffer);
  }

  /** Whole batches among samples. @throws RangeError when there is none. */
  #batches(samples: Uint32Array, limit: number): number {
    const batches = Math.floor(Math.min(samples.length / this.#program.sample.words, limit) / this.#batch);
    if (batches === 0) throw new RangeError(`fewer samples than one batch of ${this.#batch}`);
    return batches;
  }

  /**
   * Continues a prompt token by token, drawing from softmax(logits / temperature) of the last position.
   * @param prompt at least as many tokens as the model's context: the width of the field `input`.
   * @returns the tokens written after the prompt.
   */
  async write(prompt: Uint32Array, length: number, seed: bigint, temperature: number): Promise<number[]> {
    const { words: width, fields } = this.#program.sample;
    const input = fields.find(({ name }) => name === "input");
    const classification = this.#classification();
    if (classification === null || input === undefined || prompt.length < input.width) {
      throw new RangeError("the model gives no logits for a next token, or the prompt is shorter than its context");
    }
    const { logits, classes, target } = classification;
    const tokens = [...prompt];
    const sample = new Uint32Array(width);
    for (let at = 0; at < length; at++) {
      sample.set(tokens.slice(tokens.length - input.width), input.offset);
      const { outputs } = await this.#engine.trace(this.#inputs(() => sample));
      const { words } = outputs[logits]!;
      const last = new Float32Array(words.buffer, words.byteOffset, words.length).subarray(
        (target.width - 1) * classes,
        target.width * classes,
      );
      tokens.push(draw(last, temperature, philox4x32([at, 0, 0, 0], keyOf(seed))[0] / 2 ** 32));
    }
    return tokens.slice(prompt.length);
  }

  #classification(): Classification | null {
    const { logits, operators, sample } = this.#program;
    const target = sample.fields.find(({ name, dtype }) => name === "target" && dtype === Dtype.int32);
    if (logits === null || target === undefined) return null;
    const classes = wordCount(operators[logits]!.operator.shape) / (this.#batch * target.width);
    return Number.isInteger(classes) && classes >= 2 && classes > target.maximum ? { logits, classes, target } : null;
  }

  #inputs(sampleOfRow: (row: number) => Uint32Array, drawn: Drawn = mean): StepInputs {
    const batches = new Map<number, Tensor>();
    const schedule = new Map<number, Tensor>();
    const random = new Map<number, Tensor>();
    for (const [index, { operator }] of this.#program.operators.entries()) {
      const { dtype, shape } = operator;
      if (operator.family === "schedule") {
        schedule.set(index, { dtype: Dtype.float32, shape, words: new Uint32Array(1) });
      } else if (operator.family === "random") {
        random.set(index, drawn(operator));
      } else if (operator.family === "batch") {
        const [rows, width] = [shape[0]!, wordCount(shape) / shape[0]!];
        const words = new Uint32Array(rows * width);
        for (let row = 0; row < rows; row++) {
          words.set(sampleOfRow(row).subarray(operator.offset, operator.offset + width), row * width);
        }
        batches.set(index, { dtype, shape, words });
      }
    }
    return { state: this.#state, batches, schedule, random };
  }
}

/** Nothing is random: layers take the mean. */
function mean({ dtype, shape }: RandomOperator): Tensor {
  return { dtype, shape, words: new Uint32Array(wordCount(shape)).fill(fromNumber(NOT_RANDOM)) };
}

/** Adds the targets of a batch, and those that have the greatest logit; negative targets are none. */
function countRight(
  { words: logitWords }: Tensor,
  { classes, target }: Classification,
  rows: Uint32Array,
  words: number,
  counts: { right: number; all: number },
): void {
  const logits = new Float32Array(logitWords.buffer, logitWords.byteOffset, logitWords.length);
  for (let row = 0; row < rows.length / words; row++) {
    for (let position = 0; position < target.width; position++) {
      const wanted = rows[row * words + target.offset + position]! | 0;
      if (wanted < 0) continue;
      const start = (row * target.width + position) * classes;
      const choice = logits.subarray(start, start + classes);
      counts.all++;
      if (choice.indexOf(choice.reduce((a, b) => Math.max(a, b))) === wanted) counts.right++;
    }
  }
}

/** The token at `quantile` of the distribution softmax(logits / temperature). */
function draw(logits: Float32Array, temperature: number, quantile: number): number {
  const greatest = logits.reduce((a, b) => Math.max(a, b));
  const weights = Array.from(logits, (logit) => Math.exp((logit - greatest) / temperature));
  let left = quantile * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [token, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return token;
  }
  return weights.length - 1;
}

/** What a trained text model is worth: its loss on held-out text, and text that it writes. Runs on any engine. */
import type { Engine } from "../shared/engine/engine.ts";
import { keyOf, philox4x32 } from "../shared/numerics/philox.ts";
import { Dtype, wordCount } from "../shared/program/descriptor.ts";
import type { Program, Tensor } from "../shared/program/program.ts";
import type { StepInputs } from "../shared/program/stepInputs.ts";

export class TextModel {
  readonly #engine: Engine;
  readonly #program: Program;
  readonly #state: readonly Tensor[];
  readonly #batch: number;

  /** @param program one whose batch operators read rows of one sample each, the last word of a sample being the target. */
  constructor(engine: Engine, program: Program, state: readonly Tensor[]) {
    this.#engine = engine;
    this.#program = program;
    this.#state = state;
    const batch = program.operators.find(({ operator }) => operator.family === "batch")?.operator.shape[0];
    if (batch === undefined) throw new RangeError("the program reads no batch");
    this.#batch = batch;
  }

  /**
   * Mean loss over samples `[N, width]` by the program's own loss operator. Samples beyond the last whole batch are left out.
   * @param limit samples evaluated at most.
   */
  async loss(samples: Uint32Array, limit = Number.POSITIVE_INFINITY): Promise<number> {
    const width = this.#program.sample.words;
    const batches = Math.floor(Math.min(samples.length / width, limit) / this.#batch);
    if (batches === 0) throw new RangeError(`fewer samples than one batch of ${this.#batch}`);
    let sum = 0;
    for (let batch = 0; batch < batches; batch++) {
      const first = batch * this.#batch;
      sum += (
        await this.#engine.step(
          this.#inputs((row) => samples.subarray((first + row) * width, (first + row + 1) * width)),
        )
      ).loss;
    }
    return sum / batches;
  }

  /**
   * Continues a prompt token by token, drawing from softmax(logits / temperature).
   * @param prompt at least as many tokens as the model's context.
   * @returns the tokens written after the prompt.
   */
  async write(prompt: Uint32Array, length: number, seed: bigint, temperature: number): Promise<number[]> {
    const {
      logits: logitsOperator,
      sample: { words: width },
    } = this.#program;
    if (logitsOperator === null || prompt.length < width - 1)
      throw new RangeError("no logits, or a prompt below the context");
    const tokens = [...prompt];
    const sample = new Uint32Array(width);
    for (let at = 0; at < length; at++) {
      sample.set(tokens.slice(tokens.length - width + 1));
      const { outputs } = await this.#engine.trace(this.#inputs(() => sample));
      const { words, shape } = outputs[logitsOperator]!;
      const logits = new Float32Array(words.buffer, words.byteOffset, shape.at(-1)!);
      tokens.push(draw(logits, temperature, philox4x32([at, 0, 0, 0], keyOf(seed))[0] / 2 ** 32));
    }
    return tokens.slice(prompt.length);
  }

  #inputs(sampleOfRow: (row: number) => Uint32Array): StepInputs {
    const batches = new Map<number, Tensor>();
    const schedule = new Map<number, Tensor>();
    for (const [index, { operator }] of this.#program.operators.entries()) {
      const { dtype, shape } = operator;
      if (operator.family === "schedule") {
        schedule.set(index, { dtype: Dtype.float32, shape, words: new Uint32Array(1) });
      } else if (operator.family === "batch") {
        const [rows, width] = [shape[0]!, wordCount(shape) / shape[0]!];
        const words = new Uint32Array(rows * width);
        for (let row = 0; row < rows; row++) {
          words.set(sampleOfRow(row).subarray(operator.offset, operator.offset + width), row * width);
        }
        batches.set(index, { dtype, shape, words });
      }
    }
    return { state: this.#state, batches, schedule };
  }
}

/** The token at `quantile` of the distribution softmax(logits / temperature). */
function draw(logits: Float32Array, temperature: number, quantile: number): number {
  const greatest = Math.max(...logits);
  const weights = Array.from(logits, (logit) => Math.exp((logit - greatest) / temperature));
  let left = quantile * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [token, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return token;
  }
  return weights.length - 1;
}

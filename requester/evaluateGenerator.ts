/** What a gan's generator is worth: how far what it makes is from the held-out samples. Its losses say who is ahead, not how good either is. */
import { initialWords } from "../shared/numerics/philox.ts";
import type { SampleField } from "../shared/program/program.ts";
import { energyDistance } from "./energyDistance.ts";
import type { TrainedModel } from "./evaluate.ts";
import type { ModelEvaluation } from "./evaluateModel.ts";
import type { PreparedTask } from "./prepare.ts";

/** Points at most on either side: the distance looks at all pairs. */
const MOST_POINTS = 2048;
/** So that the same model has the same worth. */
const NOISE_SEED = 1n;
const BASELINE_SEED = 2n;

/** @param imitated the field that the generator imitates. @throws RangeError for fewer held-out samples than a batch. */
export async function evaluateGenerator(
  model: TrainedModel,
  { data }: Pick<PreparedTask, "data">,
  imitated: SampleField,
  limit = Number.POSITIVE_INFINITY,
): Promise<Omit<ModelEvaluation, "leftOut">> {
  const { words } = data.layout;
  const made = await model.predict(data.heldOut, NOISE_SEED, Math.min(limit, MOST_POINTS));
  const samples = made.length / imitated.width;
  const wanted = fieldOf(data.heldOut.subarray(0, samples * words), words, imitated);
  const learnt = fieldOf(data.training, words, imitated);
  return {
    measure: "energy distance",
    loss: energyDistance(made, wanted, imitated.width),
    accuracy: null,
    samples,
    baseline: {
      name: "normal noise of the same mean and deviation",
      loss: energyDistance(normalLike(learnt, imitated.width, samples), wanted, imitated.width),
    },
  };
}

/** A float32 field of samples: `[count, width]`. */
function fieldOf(samples: Uint32Array, words: number, { offset, width }: SampleField): Float32Array {
  const values = new Uint32Array((samples.length / words) * width);
  for (let row = 0; row * words < samples.length; row++) {
    values.set(samples.subarray(row * words + offset, row * words + offset + width), row * width);
  }
  return new Float32Array(values.buffer);
}

/** Rows of normal numbers, each column with the mean and the deviation that it has in `rows`. */
function normalLike(rows: Float32Array, width: number, count: number): Float32Array {
  const columns = Array.from({ length: width }, (_, column) => {
    const values = rows.filter((_, at) => at % width === column);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(square) };
  });
  const random = initialWords(BASELINE_SEED, 0, 2 * count * width);
  return Float32Array.from({ length: count * width }, (_, at) => {
    const [u, v] = [(random[2 * at]! + 0.5) / 2 ** 32, random[2 * at + 1]! / 2 ** 32];
    const { mean, deviation } = columns[at % width]!;
    return mean + deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
}

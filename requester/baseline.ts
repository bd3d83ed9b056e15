/** What a trained model has to beat: the loss of counting or of a mean, on the same held-out samples. */
import type { Dataset } from "../shared/data/dataset.ts";
import { bigramLoss } from "../shared/data/text.ts";
import { Dtype } from "../shared/program/descriptor.ts";
import type { SampleField } from "../shared/program/program.ts";
import type { LossSettings } from "../shared/task/settings.ts";

export interface Baseline {
  /** How it predicts. */
  readonly name:
    | "bigram counts"
    | "class counts"
    | "the training samples' mean"
    | "normal noise of the same mean and deviation";
  /** By the measure of the model's own: of counts, the mean negative log-likelihood of the targets, in nats. */
  readonly loss: number;
}

/**
 * @param samples held-out samples of the dataset.
 * @param loss what the model is trained by.
 * @returns null where the target is not one of a known number of classes, nor numbers that are compared by their squared error.
 */
export function baselineOf(dataset: Dataset, samples: Uint32Array, loss?: LossSettings["kind"]): Baseline | null {
  if (dataset.text !== null) {
    return { name: "bigram counts", loss: bigramLoss(dataset.text, dataset.layout, samples) };
  }
  const target = dataset.layout.fields.find(({ name }) => name === "target");
  if (target?.dtype === Dtype.float32 && loss === "meanSquaredError") {
    return { name: "the training samples' mean", loss: meanLoss(dataset, target, samples) };
  }
  if (target?.dtype !== Dtype.int32 || target.minimum < 0) return null;
  return { name: "class counts", loss: classLoss(dataset, target, samples) };
}

/** Of predicting each class as often as the training samples have it, add-one smoothed. */
function classLoss({ training, layout }: Dataset, target: SampleField, samples: Uint32Array): number {
  const counts = new Float64Array(target.maximum + 1);
  let total = 0;
  const visit = (words: Uint32Array, see: (label: number) => void): void => {
    for (let start = target.offset; start < words.length; start += layout.words) {
      for (let position = 0; position < target.width; position++) see(words[start + position]!);
    }
  };
  visit(training, (label) => {
    counts[label]!++;
    total++;
  });
  let sum = 0;
  let seen = 0;
  visit(samples, (label) => {
    sum -= Math.log((counts[label]! + 1) / (total + counts.length));
    seen++;
  });
  return sum / seen;
}

/** Mean squared error of predicting the mean of each number over the training samples. */
function meanLoss({ training, layout }: Dataset, { offset, width }: SampleField, samples: Uint32Array): number {
  const values = (words: Uint32Array): Float32Array => new Float32Array(words.buffer, words.byteOffset, words.length);
  const [learnt, seen] = [values(training), values(samples)];
  let sum = 0;
  for (let at = offset; at < offset + width; at++) {
    let total = 0;
    for (let start = at; start < learnt.length; start += layout.words) total += learnt[start]!;
    const mean = (total * layout.words) / learnt.length;
    for (let start = at; start < seen.length; start += layout.words) sum += (seen[start]! - mean) ** 2;
  }
  return (sum * layout.words) / (seen.length * width);
}

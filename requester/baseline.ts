/** What a trained model has to beat: the loss of counting, on the same held-out samples. */
import type { Dataset } from "../shared/data/dataset.ts";
import { bigramLoss } from "../shared/data/text.ts";
import { Dtype } from "../shared/program/descriptor.ts";
import type { SampleField } from "../shared/program/program.ts";

export interface Baseline {
  /** How it predicts. */
  readonly name: "bigram counts" | "class counts";
  /** Mean negative log-likelihood of the targets, in nats. */
  readonly loss: number;
}

/**
 * @param samples held-out samples of the dataset.
 * @returns null where the target is not one of a known number of classes.
 */
export function baselineOf(dataset: Dataset, samples: Uint32Array): Baseline | null {
  if (dataset.text !== null) {
    return { name: "bigram counts", loss: bigramLoss(dataset.text, dataset.layout, samples) };
  }
  const target = dataset.layout.fields.find(({ name, dtype }) => name === "target" && dtype === Dtype.int32);
  if (target === undefined || target.minimum < 0) return null;
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

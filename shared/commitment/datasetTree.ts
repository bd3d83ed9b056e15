/** The commitment to a dataset: the tensor root of every sample; all samples have the same number of words. */
import { TouchstoneError } from "../errors.ts";
import { TensorsTree } from "./tensorsTree.ts";

export class DatasetShapeError extends TouchstoneError {
  readonly code = "DATASET_SHAPE";
  constructor(words: number, sampleWords: number) {
    super(`A dataset of ${words} words is not a positive number of samples of ${sampleWords} words each.`);
  }
}

/**
 * @param words all samples, one after the other.
 * @throws DatasetShapeError when they are not a whole, positive number of samples.
 */
export function datasetTree(words: Uint32Array, sampleWords: number): TensorsTree {
  return new TensorsTree(samplesOf(words, sampleWords));
}

/** The same, hashed with turns for others. @throws as `datasetTree`. */
export async function datasetTreeInTurns(words: Uint32Array, sampleWords: number): Promise<TensorsTree> {
  return TensorsTree.inTurns(samplesOf(words, sampleWords));
}

function samplesOf(words: Uint32Array, sampleWords: number): Uint32Array[] {
  const samples = words.length / sampleWords;
  if (!Number.isInteger(samples) || samples < 1) throw new DatasetShapeError(words.length, sampleWords);
  return Array.from({ length: samples }, (_, sample) =>
    words.subarray(sample * sampleWords, (sample + 1) * sampleWords),
  );
}

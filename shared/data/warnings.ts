/** What is allowed in a dataset and probably not meant. */
import { Dtype } from "../program/descriptor.ts";
import type { Dataset } from "./dataset.ts";
import { UNKNOWN_TOKEN } from "./tokenizer.ts";

/** Share of unknown characters that is worth a word. */
const UNKNOWN_SHARE = 0.05;

/** @param trains whether something is to be learnt from the samples; what an inference is applied to need not be held out. */
export function datasetWarnings({ layout, training, heldOut, classes, text }: Dataset, trains = true): string[] {
  const warnings: string[] = [];
  if (text !== null && text.tokenizer.size < 2) {
    warnings.push("the vocabulary has one token, the unknown one: minimumCount is greater than any character's count");
  } else if (text !== null && text.tokenizer.spec.kind === "characters") {
    const [unknown, all] = text.trainingTexts.reduce(
      ([found, sum], tokens) => [found + tokens.filter((token) => token === UNKNOWN_TOKEN).length, sum + tokens.length],
      [0, 0],
    );
    const percent = Math.round((100 * unknown) / all);
    if (unknown > UNKNOWN_SHARE * all) warnings.push(`${percent} % of the characters are rarer than minimumCount`);
  }
  for (const field of layout.fields) {
    if (text === null && field.minimum === field.maximum)
      warnings.push(`${field.name} is ${field.minimum} in every sample`);
    const names = classes[field.name];
    if (names === undefined || field.dtype !== Dtype.int32) continue;
    const seen = new Set<number>();
    for (let at = field.offset; at < training.length; at += layout.words) {
      for (let word = 0; word < field.width; word++) seen.add(training[at + word]!);
    }
    const absent = names.filter((_, number) => !seen.has(number));
    if (absent.length > 0) warnings.push(`no training sample has the ${field.name} ${absent.slice(0, 5).join(", ")}`);
  }
  if (trains && heldOut.length === 0)
    warnings.push("nothing is held out, so nobody can tell how well the model does on new data");
  return warnings;
}

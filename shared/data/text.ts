/**
 * Plain text as a committed dataset for next-character prediction: a character vocabulary, windows of `context` characters and
 * the one that follows, and whole files held out. A pure function of the texts in the order given.
 */
import { TouchstoneError } from "../errors.ts";
import { Dtype } from "../program/descriptor.ts";
import type { SampleField } from "../program/program.ts";

/** Token of every character that the vocabulary lacks. */
export const UNKNOWN_TOKEN = 0;
/** How the unknown token is written. */
const UNKNOWN_CHARACTER = "\u{FFFD}";

export interface TextOptions {
  /** Characters before the predicted one. */
  readonly context: number;
  /** Characters between the starts of two windows. */
  readonly stride: number;
  /** A character that occurs less often in the training texts becomes the unknown token. */
  readonly minimumCount: number;
  /** Every n-th text is held out, beginning with the n-th. */
  readonly holdOutEvery: number;
}

export interface TextDataset {
  /** The character of each token; token 0 stands for all others. */
  readonly vocabulary: readonly string[];
  /** `[N, context + 1]` tokens, row-major: the training samples. */
  readonly samples: Uint32Array;
  /** `[M, context + 1]` tokens from the held-out texts. */
  readonly heldOut: Uint32Array;
  /** Tokens of every training text, for count models. */
  readonly trainingTexts: readonly Uint32Array[];
}

export class TextDatasetError extends TouchstoneError {
  readonly code = "TEXT_DATASET";
}

/** @throws TextDatasetError when an option is no positive integer, or the texts give no training or no held-out window. */
export function textDataset(texts: readonly string[], options: TextOptions): TextDataset {
  for (const name of ["context", "stride", "minimumCount", "holdOutEvery"] as const) {
    const value = options[name];
    if (!Number.isInteger(value) || value < 1) {
      throw new TextDatasetError(`The text option ${name} is ${value}.`, { remedy: "Give an integer of at least 1." });
    }
  }
  const isHeldOut = (_: string, index: number): boolean => index % options.holdOutEvery === options.holdOutEvery - 1;
  const trainingTexts = texts.filter((text, index) => !isHeldOut(text, index));
  const vocabulary = characterVocabulary(trainingTexts, options.minimumCount);
  const tokens = new Map(vocabulary.map((character, token) => [character, token]));
  const training = trainingTexts.map((text) => tokenise(text, tokens));
  const samples = windows(training, options);
  const heldOut = windows(
    texts.filter(isHeldOut).map((text) => tokenise(text, tokens)),
    options,
  );
  if (samples.length === 0 || heldOut.length === 0) {
    throw new TextDatasetError(
      `${texts.length} texts give ${samples.length === 0 ? "no training" : "no held-out"} window of ${options.context + 1} characters.`,
      { remedy: "Add longer or more texts, or lower context or holdOutEvery." },
    );
  }
  return { vocabulary, samples, heldOut, trainingTexts: training };
}

/** Layout of a window: the tokens that a model sees, and the one that follows. */
export function tokenFields(context: number, vocabulary: number): SampleField[] {
  const tokens = { dtype: Dtype.int32, minimum: 0, maximum: vocabulary - 1 };
  return [
    { name: "input", offset: 0, width: context, ...tokens },
    { name: "target", offset: context, width: 1, ...tokens },
  ];
}

/** The unknown token first, then the characters that occur at least `minimumCount` times, by code point. */
function characterVocabulary(texts: readonly string[], minimumCount: number): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  counts.delete(UNKNOWN_CHARACTER);
  const frequent = [...counts].filter(([, count]) => count >= minimumCount).map(([character]) => character);
  return [UNKNOWN_CHARACTER, ...frequent.sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)];
}

/** One token a code point. */
export function tokenise(text: string, tokens: ReadonlyMap<string, number>): Uint32Array {
  return Uint32Array.from(text as Iterable<string>, (character: string) => tokens.get(character) ?? UNKNOWN_TOKEN);
}

function windows(texts: readonly Uint32Array[], { context, stride }: TextOptions): Uint32Array {
  const width = context + 1;
  const counts = texts.map(({ length }) => (length < width ? 0 : Math.floor((length - width) / stride) + 1));
  const result = new Uint32Array(counts.reduce((sum, count) => sum + count, 0) * width);
  let at = 0;
  texts.forEach((text, index) => {
    for (let window = 0; window < counts[index]!; window++, at += width) {
      result.set(text.subarray(window * stride, window * stride + width), at);
    }
  });
  return result;
}

/**
 * Mean negative log-likelihood, in nats, of each window's last token given the one before it, by add-one smoothed bigram counts
 * of the training texts: what any model of the text should beat.
 */
export function bigramLoss(
  trainingTexts: readonly Uint32Array[],
  windowsOf: Uint32Array,
  width: number,
  vocabularySize: number,
): number {
  const pairs = new Float64Array(vocabularySize * vocabularySize).fill(1);
  const totals = new Float64Array(vocabularySize).fill(vocabularySize);
  for (const text of trainingTexts) {
    for (let at = 1; at < text.length; at++) {
      pairs[text[at - 1]! * vocabularySize + text[at]!]! += 1;
      totals[text[at - 1]!]! += 1;
    }
  }
  let sum = 0;
  for (let end = width - 1; end < windowsOf.length; end += width) {
    const previous = windowsOf[end - 1]!;
    sum -= Math.log(pairs[previous * vocabularySize + windowsOf[end]!]! / totals[previous]!);
  }
  return sum / (windowsOf.length / width);
}

/**
 * Plain text as a dataset for predicting the next token: windows of `context` tokens and the one that follows, or the one that
 * follows every position. Windows never cross two files.
 */
import { TouchstoneError } from "../errors.ts";
import { Dtype } from "../program/descriptor.ts";
import type { SampleField } from "../program/program.ts";
import type { TextData } from "../task/taskData.ts";
import type { DataFiles, Dataset, TextSource } from "./dataset.ts";
import { DatasetError } from "./errors.ts";
import { MAXIMUM_WORDS } from "./sourceArray.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";
import { characterVocabulary, tokenizerOf } from "./tokenizer.ts";
import { decodeText } from "./utf8.ts";

export class TextDatasetError extends TouchstoneError {
  readonly code = "TEXT_DATASET";
}

/** @throws DataFileError, DatasetError, TextDatasetError, TokenizerError, and what `files.list` throws. */
export async function textData(section: TextData, files: DataFiles): Promise<Dataset> {
  const ways = (["holdOutEvery", "holdOutFiles", "holdOutLast"] as const).filter((key) => section[key] !== undefined);
  if (ways.length > 1) {
    throw new DatasetError(`$.data.${ways[1]}`, `${ways[0]} is given, too`, "Hold out text in one way.");
  }
  const texts = await readTexts(section.files, "$.data.files", files);
  const separate =
    section.holdOutFiles === undefined ? [] : await readTexts(section.holdOutFiles, "$.data.holdOutFiles", files);
  const { training, heldOut } = split(texts, section);
  const kept = [...heldOut, ...separate];
  const tokenizer = await openTokenizer(section, training, files);
  return textDataset({ training, heldOut: kept, mustHoldOut: ways.length > 0 }, tokenizer, section);
}

export interface Texts {
  readonly training: readonly string[];
  readonly heldOut: readonly string[];
  /** Whether it is an error that the held-out texts give no sample. */
  readonly mustHoldOut: boolean;
}

/** @throws TextDatasetError when the texts give no sample, DatasetError when they give too many. */
export function textDataset(
  texts: Texts,
  tokenizer: Tokenizer,
  { context, stride, targets }: Pick<TextData, "context" | "stride" | "targets">,
): Dataset {
  const trainingTexts = texts.training.map((text) => tokenizer.encode(text));
  const heldOutTexts = texts.heldOut.map((text) => tokenizer.encode(text));
  const targetWidth = targets === "every" ? context : 1;
  const cut = (tokens: readonly Uint32Array[]) => samplesOf(tokens, context, stride, targetWidth);
  const [training, heldOut] = [cut(trainingTexts), cut(heldOutTexts)];
  if (training.length === 0 || (texts.mustHoldOut && heldOut.length === 0)) {
    const count = texts.training.length + texts.heldOut.length;
    const lacking = training.length === 0 ? "no training" : "no held-out";
    throw new TextDatasetError(`${count} texts give ${lacking} window of ${context + 1} tokens.`, {
      remedy: "Add longer or more texts, lower context, or hold out less or more.",
    });
  }
  return {
    layout: { words: context + targetWidth, fields: tokenFields(context, tokenizer.size, targetWidth) },
    training,
    heldOut,
    classes: {},
    text: { tokenizer, trainingTexts },
  };
}

async function readTexts(pattern: string, key: string, files: DataFiles): Promise<string[]> {
  const texts: string[] = [];
  for (const { name, read } of await files.list(pattern, key)) {
    texts.push(decodeText({ name, bytes: await read() }));
  }
  return texts;
}

/** Every n-th text, or the end of each, is held out. */
function split(
  texts: readonly string[],
  { holdOutEvery, holdOutLast }: TextData,
): { training: string[]; heldOut: string[] } {
  if (holdOutLast !== undefined) {
    const middles = texts.map((text) => middleOf(text, holdOutLast));
    return {
      training: texts.map((text, index) => text.slice(0, middles[index])),
      heldOut: texts.map((text, index) => text.slice(middles[index])),
    };
  }
  const isHeldOut = (index: number): boolean => holdOutEvery !== undefined && index % holdOutEvery === holdOutEvery - 1;
  return {
    training: texts.filter((_, index) => !isHeldOut(index)),
    heldOut: texts.filter((_, index) => isHeldOut(index)),
  };
}

/** Where the last part of a text begins that is a fraction of its characters. */
function middleOf(text: string, fraction: number): number {
  let characters = 0;
  for (const _ of text) characters++;
  let [before, at] = [characters - Math.floor(characters * fraction), 0];
  for (; before > 0; before--) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

async function openTokenizer(
  { tokenizer, minimumCount }: TextData,
  training: readonly string[],
  files: DataFiles,
): Promise<Tokenizer> {
  if (tokenizer === "characters") {
    return tokenizerOf({ kind: "characters", vocabulary: characterVocabulary(training, minimumCount) });
  }
  if (minimumCount > 1) {
    throw new DatasetError(
      "$.data.minimumCount",
      "only a vocabulary of characters leaves rare ones out",
      "Remove the key.",
    );
  }
  if (tokenizer === "bytes") return tokenizerOf({ kind: "bytes" });
  const found = await files.list(tokenizer, "$.data.tokenizer");
  if (found.length > 1) {
    throw new DatasetError("$.data.tokenizer", `${found.length} files match ${tokenizer}`, "Name one tokenizer.json.");
  }
  return tokenizerOf({ kind: "json", source: new TextDecoder().decode(await found[0]!.read()) });
}

/** Layout of a window: the tokens that a model sees, and those that follow its last positions. */
export function tokenFields(context: number, vocabulary: number, targetWidth = 1): SampleField[] {
  const tokens = { dtype: Dtype.int32, minimum: 0, maximum: vocabulary - 1 };
  return [
    { name: "input", offset: 0, width: context, ...tokens },
    { name: "target", offset: context, width: targetWidth, ...tokens },
  ];
}

/** Windows of every text at the stride, each as `context` inputs and the targets of its last positions. */
function samplesOf(texts: readonly Uint32Array[], context: number, stride: number, targetWidth: number): Uint32Array {
  const width = context + 1;
  const counts = texts.map(({ length }) => (length < width ? 0 : Math.floor((length - width) / stride) + 1));
  const words = counts.reduce((sum, count) => sum + count, 0) * (context + targetWidth);
  if (words > MAXIMUM_WORDS) {
    const problem = `its samples have ${words} words of 4 bytes, at most ${MAXIMUM_WORDS} are taken`;
    throw new DatasetError("$.data", problem, "Widen the stride, or take less text.");
  }
  const result = new Uint32Array(words);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    for (let window = 0; window < counts[index]!; window++, at += context + targetWidth) {
      const start = window * stride;
      result.set(text.subarray(start, start + context), at);
      result.set(text.subarray(start + width - targetWidth, start + width), at + context);
    }
  }
  return result;
}

/**
 * Mean negative log-likelihood, in nats, of each target given the token before it, by add-one smoothed bigram counts of the training
 * texts: what any model of the text should beat.
 * @param samples of a text dataset.
 */
export function bigramLoss(
  { tokenizer, trainingTexts }: TextSource,
  { words, fields }: Dataset["layout"],
  samples: Uint32Array,
): number {
  const { size } = tokenizer;
  const pairs = new Map<number, number>();
  const totals = new Uint32Array(size);
  for (const text of trainingTexts) {
    for (let at = 1; at < text.length; at++) {
      const pair = text[at - 1]! * size + text[at]!;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      totals[text[at - 1]!]!++;
    }
  }
  const [input, target] = fields as [(typeof fields)[number], (typeof fields)[number]];
  let sum = 0;
  for (let start = 0; start < samples.length; start += words) {
    for (let position = 0; position < target.width; position++) {
      const previous = samples[start + input.offset + input.width - target.width + position]!;
      const next = samples[start + target.offset + position]!;
      sum -= Math.log(((pairs.get(previous * size + next) ?? 0) + 1) / (totals[previous]! + size));
    }
  }
  return sum / ((samples.length / words) * target.width);
}

/**
 * Hugging Face's tokenizer.json: added tokens, normalizer, pre-tokenizer, model, decoder. The post-processor is not applied: samples are
 * cut out of running text, and what it adds around a text (`[CLS]` …) would stand where no text begins. Truncation and padding
 * do not apply either.
 */

import { addedTokensOf, TokenFinder } from "./addedTokens.ts";
import { BytePairModel } from "./bpe.ts";
import { Component, TokenizerError } from "./component.ts";
import { type Decoder, decoderOf } from "./decoder.ts";
import type { TokenModel } from "./model.ts";
import { normalizerOf } from "./normalizer.ts";
import { type PreTokenizer, preTokenizerOf } from "./preTokenizer.ts";
import type { Normalizer, Tokenizer, TokenizerSpec } from "./tokenizer.ts";
import { UnigramModel } from "./unigram.ts";
import { WordLevelModel, WordPieceModel } from "./wordModels.ts";

export class JsonTokenizer implements Tokenizer {
  readonly spec: TokenizerSpec;
  readonly size: number;
  readonly #model: TokenModel;
  readonly #texts: ReadonlyMap<number, string>;
  readonly #raw: TokenFinder;
  readonly #normalized: TokenFinder;
  readonly #normalize: Normalizer;
  readonly #preTokenize: PreTokenizer;
  readonly #decode: Decoder;

  /**
   * @param source the file's text.
   * @throws TokenizerError that names the component which is wrong or not supported.
   */
  constructor(source: string) {
    this.spec = { kind: "json", source };
    const root = new Component(parse(source), "$");
    this.#model = modelOf(root.component("model"));
    this.#normalize = root.has("normalizer") ? normalizerOf(root.component("normalizer")) : (text) => text;
    this.#preTokenize = root.has("pre_tokenizer") ? preTokenizerOf(root.component("pre_tokenizer")) : (text) => [text];
    this.#decode = root.has("decoder") ? decoderOf(root.component("decoder")) : (tokens) => [tokens.join(" ")];
    const added = addedTokensOf(root, this.#model.vocabulary);
    this.#raw = new TokenFinder(
      added.filter(({ isNormalized }) => !isNormalized),
      (text) => text,
    );
    this.#normalized = new TokenFinder(
      added.filter(({ isNormalized }) => isNormalized),
      this.#normalize,
    );
    this.#texts = new Map([
      ...[...this.#model.vocabulary].map(([text, token]) => [token, text] as const),
      ...added.map(({ number, content }) => [number, content] as const),
    ]);
    this.size = 1 + [...this.#texts.keys()].reduce((most, token) => Math.max(most, token), 0);
  }

  encode(text: string): Uint32Array {
    const tokens: number[] = [];
    const append = (more: readonly number[]): void => {
      for (const token of more) tokens.push(token);
    };
    for (const stretch of this.#raw.split(text, true)) {
      if ("token" in stretch) append([stretch.token]);
      else {
        for (const inner of this.#normalized.split(this.#normalize(stretch.text), stretch.isFirst)) {
          if ("token" in inner) append([inner.token]);
          else for (const piece of this.#preTokenize(inner.text, inner.isFirst)) append(this.#model.encode(piece));
        }
      }
    }
    return Uint32Array.from(tokens);
  }

  decode(tokens: Iterable<number>): string {
    const texts = Array.from(tokens).flatMap((token) => this.#texts.get(token) ?? []);
    return this.#decode(texts).join("");
  }
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new TokenizerError("$", `it is no JSON (${(cause as Error).message})`);
  }
}

/** Old files do not say which model they have. */
function typeByKeys(model: Component): string {
  if (model.has("merges")) return "BPE";
  if (Array.isArray(model.get("vocab"))) return "Unigram";
  return model.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

function modelOf(model: Component): TokenModel {
  const type = model.string("type", typeByKeys(model));
  switch (type) {
    case "BPE":
      return new BytePairModel(model);
    case "WordPiece":
      return new WordPieceModel(model);
    case "WordLevel":
      return new WordLevelModel(model);
    case "Unigram":
      return new UnigramModel(model);
    default:
      throw model.unsupported(type);
  }
}

/** Models that look whole words or the longest beginnings of words up in a vocabulary. */
import { type Component, vocabularyOf } from "./component.ts";
import type { TokenModel } from "./model.ts";

export class WordLevelModel implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly #unknown: number;

  /** @throws TokenizerError */
  constructor(model: Component) {
    this.vocabulary = vocabularyOf(model);
    this.#unknown = unknownToken(model, this.vocabulary);
  }

  encode(piece: string): number[] {
    return [this.vocabulary.get(piece) ?? this.#unknown];
  }
}

export class WordPieceModel implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly #unknown: number;
  readonly #prefix: string;
  readonly #longest: number;

  /** @throws TokenizerError */
  constructor(model: Component) {
    this.vocabulary = vocabularyOf(model);
    this.#unknown = unknownToken(model, this.vocabulary);
    this.#prefix = model.string("continuing_subword_prefix", "##");
    this.#longest = model.count("max_input_chars_per_word", 100);
  }

  encode(piece: string): number[] {
    const characters = [...piece];
    if (characters.length > this.#longest) return [this.#unknown];
    const tokens: number[] = [];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      let token: number | undefined;
      for (; end > start; end--) {
        token = this.vocabulary.get((start === 0 ? "" : this.#prefix) + characters.slice(start, end).join(""));
        if (token !== undefined) break;
      }
      if (token === undefined) return [this.#unknown];
      tokens.push(token);
      start = end;
    }
    return tokens;
  }
}

function unknownToken(model: Component, vocabulary: ReadonlyMap<string, number>): number {
  const token = vocabulary.get(model.string("unk_token"));
  if (token === undefined) throw model.fail("its unk_token is not in the vocabulary");
  return token;
}

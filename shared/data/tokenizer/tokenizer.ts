/** The types that every tokenizer shares. */

/** What a tokenizer can be made from again: plain data, kept in the task's package. */
export type TokenizerSpec =
  | {
      readonly kind: "characters";
      /** The character of each token; token 0 stands for all others. */
      readonly vocabulary: readonly string[];
    }
  | { readonly kind: "bytes" }
  | {
      readonly kind: "json";
      /** The tokenizer.json. */
      readonly source: string;
    };

export interface Tokenizer {
  readonly spec: TokenizerSpec;
  /** Tokens are 0 … size − 1: the classes that a model of the text must have. */
  readonly size: number;
  encode(text: string): Uint32Array;
  decode(tokens: Iterable<number>): string;
}

/** Changes text before it is split. */
export type Normalizer = (text: string) => string;

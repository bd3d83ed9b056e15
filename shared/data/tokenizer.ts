/** Text as numbers. Two tokenizers that need no file; `tokenizer/` reads those of Hugging Face. */
import { JsonTokenizer } from "./tokenizer/json.ts";
import type { Tokenizer, TokenizerSpec } from "./tokenizer/tokenizer.ts";

/** Token of every character that a vocabulary of characters lacks. */
export const UNKNOWN_TOKEN = 0;
/** How the unknown token is written. */
const UNKNOWN_CHARACTER = "\u{FFFD}";

/** @throws TokenizerError when a tokenizer.json is malformed or asks for what is not supported. */
export function tokenizerOf(spec: TokenizerSpec): Tokenizer {
  if (spec.kind === "characters") return new CharacterTokenizer(spec);
  return spec.kind === "bytes" ? new ByteTokenizer() : new JsonTokenizer(spec.source);
}

/** One token a code point. */
class CharacterTokenizer implements Tokenizer {
  readonly spec: TokenizerSpec;
  readonly #vocabulary: readonly string[];
  readonly #tokens: ReadonlyMap<string, number>;

  constructor(spec: TokenizerSpec & { readonly kind: "characters" }) {
    this.spec = spec;
    this.#vocabulary = spec.vocabulary;
    this.#tokens = new Map(spec.vocabulary.map((character, token) => [character, token]));
  }

  get size(): number {
    return this.#vocabulary.length;
  }

  encode(text: string): Uint32Array {
    const tokens = new Uint32Array(text.length);
    let count = 0;
    for (const character of text) tokens[count++] = this.#tokens.get(character) ?? UNKNOWN_TOKEN;
    return tokens.slice(0, count);
  }

  decode(tokens: Iterable<number>): string {
    return Array.from(tokens, (token) => this.#vocabulary[token] ?? UNKNOWN_CHARACTER).join("");
  }
}

/** The unknown token first, then the characters that occur at least `minimumCount` times, by code point. */
export function characterVocabulary(texts: readonly string[], minimumCount: number): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  counts.delete(UNKNOWN_CHARACTER);
  const frequent = [...counts].filter(([, count]) => count >= minimumCount).map(([character]) => character);
  return [UNKNOWN_CHARACTER, ...frequent.sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)];
}

/** One token a byte of UTF-8. */
class ByteTokenizer implements Tokenizer {
  readonly spec: TokenizerSpec = { kind: "bytes" };
  readonly size = 256;

  encode(text: string): Uint32Array {
    return Uint32Array.from(new TextEncoder().encode(text));
  }

  decode(tokens: Iterable<number>): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens));
  }
}

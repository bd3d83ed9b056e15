/** Tokens that are found in a text before a model sees it, such as `<|endoftext|>`. */
import { type Component, MAXIMUM_TOKENS } from "./component.ts";
import { literal, WORD } from "./pattern.ts";
import type { Normalizer } from "./tokenizer.ts";

export interface AddedToken {
  readonly number: number;
  readonly content: string;
  readonly isSingleWord: boolean;
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
  /** Whether it is looked for in the normalised text. */
  readonly isNormalized: boolean;
}

/** @throws TokenizerError */
export function addedTokensOf(root: Component, vocabulary: ReadonlyMap<string, number>): AddedToken[] {
  if (!root.has("added_tokens")) return [];
  return root.components("added_tokens").map((component): AddedToken => {
    const [number, content] = [component.count("id"), component.string("content")];
    if (content === "" || number >= MAXIMUM_TOKENS) throw component.fail("it is empty, or its number too great");
    const known = vocabulary.get(content);
    if (known !== undefined && known !== number)
      throw component.fail(`${content} is ${known} in the vocabulary, not ${number}`);
    return {
      number,
      content,
      isSingleWord: component.boolean("single_word", false),
      stripsLeft: component.boolean("lstrip", false),
      stripsRight: component.boolean("rstrip", false),
      isNormalized: component.boolean("normalized", !component.boolean("special", false)),
    };
  });
}

/** A stretch of text, or a token that was found. */
export type Stretch = { readonly text: string; readonly isFirst: boolean } | { readonly token: number };

const ENDS_WITH_WORD = new RegExp(`[${WORD}]$`, "u");
const BEGINS_WITH_WORD = new RegExp(`^[${WORD}]`, "u");

export class TokenFinder {
  readonly #tokens: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | null;

  /** @param normalize what has been done to the texts that are searched. */
  constructor(tokens: readonly AddedToken[], normalize: Normalizer) {
    this.#tokens = new Map(tokens.map((token) => [normalize(token.content), token]));
    this.#tokens = new Map([...this.#tokens].filter(([content]) => content !== ""));
    // The longest of those that begin at one place.
    const contents = [...this.#tokens.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = contents.length === 0 ? null : new RegExp(contents.map(literal).join("|"), "gu");
  }

  /** Cuts a stretch of text at the tokens in it. */
  split(text: string, isFirst: boolean): Stretch[] {
    if (this.#pattern === null) return [{ text, isFirst }];
    const stretches: Stretch[] = [];
    let end = 0;
    const append = (to: number): void => {
      if (to > end) stretches.push({ text: text.slice(end, to), isFirst: isFirst && end === 0 });
    };
    for (const { 0: content, index } of text.matchAll(this.#pattern)) {
      const token = this.#tokens.get(content)!;
      let [from, to] = [index, index + content.length];
      if (token.isSingleWord && (ENDS_WITH_WORD.test(text.slice(0, from)) || BEGINS_WITH_WORD.test(text.slice(to))))
        continue;
      if (token.stripsLeft) from = Math.max(end, text.slice(0, from).replace(/\p{White_Space}+$/u, "").length);
      if (token.stripsRight) to += /^\p{White_Space}*/u.exec(text.slice(to))![0].length;
      append(from);
      stretches.push({ token: token.number });
      end = to;
    }
    append(text.length);
    return stretches;
  }
}

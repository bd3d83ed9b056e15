/** Pre-tokenizers of a tokenizer.json: a text → the pieces that a model takes one by one. */
import { toByteCharacters } from "./byteLevel.ts";
import type { Component } from "./component.ts";
import { behaviourOf, literal, patternOf, regularExpression, splitAt, WHITE_SPACE } from "./pattern.ts";

/** @param isFirst whether the piece begins where the whole text does. */
export type PreTokenizer = (text: string, isFirst: boolean) => string[];

const SPACE = new RegExp(WHITE_SPACE, "gu");
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;
/** GPT-2's words: contractions, letters, numbers, others, each with a space before; white space. */
const BYTE_LEVEL_WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** @throws TokenizerError naming a pre-tokenizer that is not supported. */
export function preTokenizerOf(component: Component): PreTokenizer {
  switch (component.type) {
    case "Sequence": {
      const parts = component.components("pretokenizers").map(preTokenizerOf);
      return (text, isFirst) =>
        parts.reduce((pieces, part) => pieces.flatMap((piece, index) => part(piece, isFirst && index === 0)), [text]);
    }
    case "ByteLevel":
      return byteLevel(component);
    case "Metaspace":
      return metaspace(component);
    case "Whitespace": {
      const words = regularExpression("\\w+|[^\\w\\s]+", component);
      return (text) => splitAt(text, words, "Removed", true);
    }
    case "WhitespaceSplit":
      return (text) => splitAt(text, SPACE, "Removed");
    case "BertPreTokenizer":
      return (text) => splitAt(text, SPACE, "Removed").flatMap((word) => splitAt(word, PUNCTUATION, "Isolated"));
    case "Punctuation": {
      const behaviour = behaviourOf(component, "Isolated");
      return (text) => splitAt(text, PUNCTUATION, behaviour);
    }
    case "Digits": {
      const behaviour = component.boolean("individual_digits", false) ? "Isolated" : "Contiguous";
      return (text) => splitAt(text, /\p{N}/gu, behaviour);
    }
    case "CharDelimiterSplit": {
      const delimiter = new RegExp(literal(component.string("delimiter")), "gu");
      return (text) => splitAt(text, delimiter, "Removed");
    }
    case "Split": {
      const [pattern, behaviour] = [patternOf(component), behaviourOf(component)];
      const invert = component.boolean("invert", false);
      return (text) => splitAt(text, pattern, behaviour, invert);
    }
    default:
      throw component.unsupported();
  }
}

function byteLevel(component: Component): PreTokenizer {
  const addsSpace = component.boolean("add_prefix_space", true);
  const words = component.boolean("use_regex", true) ? regularExpression(BYTE_LEVEL_WORDS, component) : null;
  return (text) => {
    const prefixed = addsSpace && !text.startsWith(" ") ? ` ${text}` : text;
    return (words === null ? [prefixed] : splitAt(prefixed, words, "Isolated")).map(toByteCharacters);
  };
}

/** When the mark of a space is put before a text: always, before the first piece only, never. */
export function prependScheme(component: Component): "always" | "first" | "never" {
  const scheme = component.string("prepend_scheme", component.boolean("add_prefix_space", true) ? "always" : "never");
  if (scheme !== "always" && scheme !== "first" && scheme !== "never")
    throw component.unsupported(`prepend_scheme ${scheme}`);
  return scheme;
}

function metaspace(component: Component): PreTokenizer {
  const mark = component.string("replacement", "▁");
  const scheme = prependScheme(component);
  const splits = component.boolean("split", true);
  const pattern = new RegExp(literal(mark), "gu");
  return (text, isFirst) => {
    const marked = text.replaceAll(" ", mark);
    const prepends = scheme === "always" || (scheme === "first" && isFirst);
    const whole = prepends && !marked.startsWith(mark) ? mark + marked : marked;
    return splits ? splitAt(whole, pattern, "MergedWithNext") : [whole];
  };
}

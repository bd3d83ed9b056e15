/** Decoders of a tokenizer.json: tokens → the texts that are joined. */
import { fromByteCharacters } from "./byteLevel.ts";
import type { Component } from "./component.ts";
import { patternOf } from "./pattern.ts";
import { prependScheme } from "./preTokenizer.ts";

export type Decoder = (tokens: readonly string[]) => readonly string[];

/** @throws TokenizerError naming a decoder that is not supported. */
export function decoderOf(component: Component): Decoder {
  switch (component.type) {
    case "Sequence": {
      const parts = component.components("decoders").map(decoderOf);
      return (tokens) => parts.reduce((result, part) => part(result), tokens);
    }
    case "ByteLevel":
      return (tokens) => [fromByteCharacters(tokens)];
    case "Metaspace": {
      const mark = component.string("replacement", "▁");
      const drops = prependScheme(component) !== "never";
      return (tokens) =>
        tokens.map((token, index) => {
          const bare = index === 0 && drops && token.startsWith(mark) ? token.slice(mark.length) : token;
          return bare.replaceAll(mark, " ");
        });
    }
    case "WordPiece":
      return wordPiece(component);
    case "BPEDecoder": {
      const suffix = component.string("suffix", "</w>");
      return (tokens) => tokens.map((token, index) => token.replaceAll(suffix, index === tokens.length - 1 ? "" : " "));
    }
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Strip":
      return strip(component);
    case "Replace": {
      const [pattern, content] = [patternOf(component), component.string("content")];
      return (tokens) => tokens.map((token) => token.replace(pattern, () => content));
    }
    default:
      throw component.unsupported();
  }
}

/** English punctuation that stands close to the word before it. */
const CLEANED: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function wordPiece(component: Component): Decoder {
  const prefix = component.string("prefix", "##");
  const cleans = component.boolean("cleanup", true);
  return (tokens) =>
    tokens.map((token, index) => {
      const goesOn = token.startsWith(prefix);
      const text = index === 0 ? token : goesOn ? token.slice(prefix.length) : ` ${token}`;
      return cleans ? CLEANED.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text) : text;
    });
}

/** Runs of `<0x0A>` as the UTF-8 that they are; a replacement character for each byte of a run that is none. */
function byteFallback(tokens: readonly string[]): string[] {
  const result: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    try {
      if (bytes.length > 0)
        result.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)));
    } catch {
      result.push("\ufffd".repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const hex = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else {
      flush();
      result.push(token);
    }
  }
  flush();
  return result;
}

/** Drops up to so many of a character at both ends of every token. */
function strip(component: Component): Decoder {
  const content = component.string("content");
  const [start, stop] = [component.count("start"), component.count("stop")];
  return (tokens) =>
    tokens.map((token) => {
      const characters = [...token];
      let first = 0;
      while (first < start && characters[first] === content) first++;
      let last = characters.length;
      while (characters.length - last < stop && last > first && characters[last - 1] === content) last--;
      return characters.slice(first, last).join("");
    });
}

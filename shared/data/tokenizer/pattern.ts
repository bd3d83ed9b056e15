/** Patterns of a tokenizer.json, and the ways to split at what they match. */
import type { Component } from "./component.ts";

/** White space as Unicode and Rust have it; JavaScript's \s differs by U+0085 and U+FEFF. */
export const WHITE_SPACE = "\\p{White_Space}";
/** Members of the class \w of Unicode's regular expressions. */
export const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d";

/** Escapes whose meaning differs between Oniguruma and JavaScript, by what they are in and outside a class. */
const CLASSES: Readonly<Record<string, { readonly inside: string | null; readonly outside: string }>> = {
  s: { inside: WHITE_SPACE, outside: WHITE_SPACE },
  S: { inside: "\\P{White_Space}", outside: "\\P{White_Space}" },
  d: { inside: "\\p{Nd}", outside: "\\p{Nd}" },
  D: { inside: "\\P{Nd}", outside: "\\P{Nd}" },
  w: { inside: WORD, outside: `[${WORD}]` },
  W: { inside: null, outside: `[^${WORD}]` },
};

/**
 * A regular expression of Oniguruma, which Hugging Face uses, as one of JavaScript.
 * @throws TokenizerError where the two languages differ in a way that is not translated.
 */
export function regularExpression(source: string, component: Component): RegExp {
  const unsupported = (what: string) => component.unsupported(`${what} in the pattern ${JSON.stringify(source)}`);
  let result = "";
  let isInside = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at]!;
    if (character === "\\") {
      const escaped = source[++at];
      if (escaped === undefined) throw unsupported("a last backslash");
      const translated = CLASSES[escaped];
      if (translated !== undefined) {
        const text = isInside ? translated.inside : translated.outside;
        if (text === null) throw unsupported(`\\${escaped} in a class`);
        result += text;
      } else if ("pP".includes(escaped)) {
        const name = /^\{\^?\w+\}/.exec(source.slice(at + 1))?.[0];
        if (name === undefined || name[1] === "^") throw unsupported(`\\${escaped}`);
        result += `\\${escaped}${name}`;
        at += name.length;
      } else if ("nrtfv".includes(escaped)) result += `\\${escaped}`;
      else if (escaped === "x" || escaped === "u") {
        const [whole, braced, plain] = /^(?:\{([\da-fA-F]{1,6})\}|([\da-fA-F]{2,4}))/.exec(source.slice(at + 1)) ?? [];
        const digits = braced ?? plain?.slice(0, escaped === "x" ? 2 : 4);
        if (whole === undefined || digits === undefined) throw unsupported(`\\${escaped}`);
        result += `\\u{${digits}}`;
        at += braced === undefined ? digits.length : whole.length;
      } else if (/[a-zA-Z0-9]/.test(escaped)) throw unsupported(`\\${escaped}`);
      else result += literal(escaped);
    } else if (isInside) {
      if (character === "[" || source.startsWith("&&", at)) throw unsupported("a class in a class");
      if (character === "]") isInside = false;
      result += character;
    } else if (character === "[") {
      isInside = true;
      result += "[";
      if (source[at + 1] === "^") {
        result += "^";
        at++;
      }
      if (source[at + 1] === "]") throw unsupported("a class that begins with ]");
    } else if (character === ".") result += "[^\\n]";
    else if (character === "(" && source[at + 1] === "?" && !/^\(\?(:|=|!|<=|<!|i:)/.test(source.slice(at))) {
      throw unsupported(source.slice(at, at + 3));
    } else result += character;
  }
  try {
    return new RegExp(result, "gmu");
  } catch {
    throw unsupported("something JavaScript lacks");
  }
}

/** A character that stands for itself. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => (character === "-" ? "\\x2d" : `\\${character}`));
}

/** The `pattern` of a component: {"String": …} or {"Regex": …}. */
export function patternOf(component: Component): RegExp {
  const pattern = component.component("pattern");
  if (pattern.has("String")) return new RegExp(literal(pattern.string("String")), "gu");
  if (pattern.has("Regex")) return regularExpression(pattern.string("Regex"), component);
  throw component.fail("its pattern is neither String nor Regex");
}

export type Behaviour = "Removed" | "Isolated" | "MergedWithPrevious" | "MergedWithNext" | "Contiguous";
const BEHAVIOURS: readonly string[] = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];

export function behaviourOf(component: Component, absent?: Behaviour): Behaviour {
  const name = component.string("behavior", absent);
  if (!BEHAVIOURS.includes(name)) throw component.unsupported(`the behavior ${name}`);
  return name as Behaviour;
}

interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Splits at the matches of a pattern; with `invert`, at what lies between them. Empty pieces are dropped. */
export function splitAt(text: string, pattern: RegExp, behaviour: Behaviour, invert = false): string[] {
  const pieces: Piece[] = [];
  let end = 0;
  const append = (from: number, to: number, isMatch: boolean): void => {
    if (to > from) pieces.push({ text: text.slice(from, to), isMatch: isMatch !== invert });
  };
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (match === "") continue;
    append(end, index, false);
    append(index, index + match.length, true);
    end = index + match.length;
  }
  append(end, text.length, false);
  switch (behaviour) {
    case "Removed":
      return pieces.filter(({ isMatch }) => !isMatch).map((piece) => piece.text);
    case "Isolated":
      return pieces.map((piece) => piece.text);
    case "Contiguous":
      return merged(pieces, (piece, previous) => piece.isMatch === previous.isMatch);
    case "MergedWithPrevious":
      return merged(pieces, (piece, previous) => piece.isMatch && !previous.isMatch);
    case "MergedWithNext":
      return merged(pieces, (piece, previous) => !piece.isMatch && previous.isMatch);
  }
}

/** Joins a piece to the one before where `joins` says so of the two. */
function merged(pieces: readonly Piece[], joins: (piece: Piece, previous: Piece) => boolean): string[] {
  const result: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    const previous = pieces[index - 1];
    if (previous !== undefined && joins(piece, previous)) result.push(result.pop()! + piece.text);
    else result.push(piece.text);
  }
  return result;
}

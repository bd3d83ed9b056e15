/** Normalizers of a tokenizer.json: text → text, before it is split. */
import { toByteCharacters } from "./byteLevel.ts";
import type { Component } from "./component.ts";
import { patternOf } from "./pattern.ts";
import { precompiledNormalizer } from "./precompiled.ts";
import type { Normalizer } from "./tokenizer.ts";

/** One code point at a time, as Rust does: no rule looks at its neighbours. */
const lowercase: Normalizer = (text) => Array.from(text, (character) => character.toLowerCase()).join("");

/** @throws TokenizerError naming a normalizer that is not supported. */
export function normalizerOf(component: Component): Normalizer {
  switch (component.type) {
    case "Sequence": {
      const parts = component.components("normalizers").map(normalizerOf);
      return (text) => parts.reduce((result, part) => part(result), text);
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = component.type;
      return (text) => text.normalize(form);
    }
    case "Lowercase":
      return lowercase;
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "");
    case "Strip": {
      const [left, right] = [component.boolean("strip_left"), component.boolean("strip_right")];
      return (text) => {
        const trimmed = left ? text.replace(/^\p{White_Space}+/u, "") : text;
        return right ? trimmed.replace(/\p{White_Space}+$/u, "") : trimmed;
      };
    }
    case "Replace": {
      const [pattern, content] = [patternOf(component), component.string("content")];
      return (text) => text.replace(pattern, () => content);
    }
    case "Prepend": {
      const prefix = component.string("prepend");
      return (text) => (text === "" ? text : prefix + text);
    }
    case "ByteLevel":
      return toByteCharacters;
    case "BertNormalizer":
      return bertNormalizer(component);
    case "Precompiled":
      return precompiledNormalizer(component);
    default:
      throw component.unsupported();
  }
}

const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
/** Control characters but tab and line ends, and the two that BERT drops besides. */
const DROPPED = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cn}\p{Co}]/gu;

function bertNormalizer(component: Component): Normalizer {
  const lower = component.boolean("lowercase", true);
  const stripAccents = component.has("strip_accents") ? component.boolean("strip_accents") : lower;
  const steps: [boolean, Normalizer][] = [
    [component.boolean("clean_text", true), (text) => text.replace(DROPPED, "").replace(/\p{White_Space}/gu, " ")],
    [component.boolean("handle_chinese_chars", true), (text) => text.replace(CHINESE, " $& ")],
    [stripAccents, (text) => text.normalize("NFD").replace(/\p{Mn}/gu, "")],
    [lower, lowercase],
  ];
  return (text) => steps.reduce((result, [isOn, step]) => (isOn ? step(result) : result), text);
}

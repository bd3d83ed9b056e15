/**
 * SentencePiece's compiled normalizer: a table of replacements of byte strings, the longest first, as a double-array trie (Darts-clone)
 * and the replacements' text. Layout: length of the trie in bytes, the trie's units, the replacements with a zero byte after each;
 * numbers are little-endian uint32.
 */
import type { Component } from "./component.ts";
import type { Normalizer } from "./tokenizer.ts";

/** @throws TokenizerError when the table is cut off. */
export function precompiledNormalizer(component: Component): Normalizer {
  const { units, texts } = decode(component);
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    const result: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const found = longestMatch(units, bytes, at);
      if (found === null) {
        // A whole character, so that no match begins inside one.
        do {
          result.push(bytes[at++]!);
        } while (at < bytes.length && (bytes[at]! & 0xc0) === 0x80);
      } else {
        for (let from = found.replacement; (texts[from] ?? 0) !== 0; from++) result.push(texts[from]!);
        at = found.end;
      }
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(result));
  };
}

function decode(component: Component): { units: Uint32Array; texts: Uint8Array } {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(component.string("precompiled_charsmap")), (character) => character.charCodeAt(0));
  } catch {
    throw component.fail("its precompiled_charsmap is no base64");
  }
  const view = new DataView(bytes.buffer);
  const length = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (length === 0 || length % 4 !== 0 || 4 + length > bytes.length) {
    throw component.fail("its precompiled_charsmap is cut off");
  }
  const units = Uint32Array.from({ length: length / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
  return { units, texts: bytes.subarray(4 + length) };
}

/** The longest entry that the bytes from `start` on begin with: where it ends, and where its replacement begins. */
function longestMatch(
  units: Uint32Array,
  bytes: Uint8Array,
  start: number,
): { end: number; replacement: number } | null {
  let best: { end: number; replacement: number } | null = null;
  let node = offsetOf(units[0]!);
  for (let at = start; at < bytes.length && bytes[at] !== 0; at++) {
    node ^= bytes[at]!;
    const unit = units[node];
    // A unit's label is its lowest byte; units that hold a value have the highest bit, too.
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== bytes[at]) break;
    node ^= offsetOf(unit);
    const leaf = units[node];
    if ((unit & 0x100) !== 0 && leaf !== undefined) best = { end: at + 1, replacement: leaf & 0x7fffffff };
  }
  return best;
}

/** How far a node's children are from it. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

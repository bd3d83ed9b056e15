/**
 * JSON that somebody else wrote. What a schema says of it takes hundreds of bytes for every wrong value, and a heap that is full ends the
 * process, which may have a stake elsewhere: so text and values are counted before any schema sees them.
 */
import { TouchstoneError } from "./errors.ts";

/** Longest text, in UTF-16 code units. */
export const MOST_TEXT = 2 ** 25;
/** Most values, lists and objects among them. */
export const MOST_VALUES = 2 ** 19;

export class HostileJsonError extends TouchstoneError {
  readonly code = "HOSTILE_JSON";
  constructor(detail: string) {
    super(`The JSON document is larger than programs take from strangers: ${detail}.`, {
      remedy:
        "Leave it; if it is yours, make the program smaller, or cut what is long in it (a vocabulary, names of classes).",
    });
  }
}

/** Of text that this program wrote itself: whether others will read it. @throws HostileJsonError when it is too large. */
export function requireReadableJson(text: string): string {
  parseHostileJson(text);
  return text;
}

/** @throws HostileJsonError, and SyntaxError as JSON.parse. */
export function parseHostileJson(text: string): unknown {
  if (text.length > MOST_TEXT) throw new HostileJsonError(`${text.length} characters, ${MOST_TEXT} are allowed`);
  const json: unknown = JSON.parse(text);
  let count = 1;
  const left = [json];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    const values = Object.values(next);
    count += values.length;
    if (count > MOST_VALUES) throw new HostileJsonError(`more than ${MOST_VALUES} values`);
    for (const value of values) left.push(value);
  }
  return json;
}

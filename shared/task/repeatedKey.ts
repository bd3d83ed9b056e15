/** A key that an object of a JSON text has twice: `JSON.parse` takes the last one and says nothing. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

interface Level {
  /** null in a list. */
  readonly keys: Set<string> | null;
  key: string;
  index: number;
}

/**
 * @param json text that `JSON.parse` takes.
 * @returns the place of the second one, as `$.data.fields.input`; null where every key is there once.
 */
export function repeatedKey(json: string): string | null {
  const levels: Level[] = [];
  let isKey = false;
  for (const [token] of json.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === "{" || token === "[") {
      levels.push({ keys: token === "{" ? new Set() : null, key: "", index: 0 });
      isKey = token === "{";
    } else if (token === "}" || token === "]") {
      levels.pop();
      isKey = false;
    } else if (token === ",") {
      level!.index++;
      isKey = level!.keys !== null;
    } else if (token === ":") {
      isKey = false;
    } else if (isKey) {
      level!.key = JSON.parse(token) as string;
      if (level!.keys!.has(level!.key)) return placeOf(levels);
      level!.keys!.add(level!.key);
    }
  }
  return null;
}

function placeOf(levels: readonly Level[]): string {
  return levels.reduce((place, { keys, key, index }) => place + (keys === null ? `[${index}]` : `.${key}`), "$");
}

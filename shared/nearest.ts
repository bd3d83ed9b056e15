/** The word that somebody probably meant. */

/** Letters left out, added, changed or swapped with their neighbour (optimal string alignment), without regard to case. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let [before, last] = [[] as number[], Array.from({ length: to.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[to.length]!;
}

/** The word of `known` that is nearest to `word`; null where none is near. */
export function nearestWord(word: string, known: readonly string[]): string | null {
  // What is longer than any key is no misspelling of one, and would take long.
  if (word.length > 64) return null;
  let found: { readonly word: string; readonly away: number } | null = null;
  for (const candidate of known) {
    const away = distance(word, candidate);
    if (away <= Math.max(2, candidate.length / 3) && away < candidate.length && (found === null || away < found.away)) {
      found = { word: candidate, away };
    }
  }
  return found?.word ?? null;
}

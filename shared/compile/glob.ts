/** Patterns over tensor names: `*` stands for any characters, dots included, `?` for one. */

export function matchesGlob(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => expressionOf(pattern).test(name));
}

/** The first pattern that no name matches, or null. */
export function idlePattern(names: readonly string[], patterns: readonly string[]): string | null {
  return patterns.find((pattern) => !names.some((name) => matchesGlob(name, [pattern]))) ?? null;
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
